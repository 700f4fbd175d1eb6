--- Samples of discord, in the shape of its documented payloads (tidewire.samples).
return {
  APPLICATION_AUTHORIZED = [[{"version":1,"application_id":"1234560123453231555","type":1,]]
    .. [["event":{"type":"APPLICATION_AUTHORIZED","timestamp":"%TIME%","data":{"integration_type":1,]]
    .. [["scopes":["applications.commands"],"user":{"id":"%NUMBER%","username":"ann"}}}}]],
  ENTITLEMENT_CREATE = [[{"version":1,"application_id":"1234560123453231555","type":1,]]
    .. [["event":{"type":"ENTITLEMENT_CREATE","timestamp":"%TIME%","data":{"id":"%NUMBER%",]]
    .. [["sku_id":"1234560123453231000","user_id":"273434170812456960","type":8,"deleted":false}}}]],
  ["2"] = [[{"id":"%NUMBER%","application_id":"1234560123453231555","type":2,"token":"unused","version":1,]]
    .. [["data":{"id":"771825006014889984","name":"hello","type":1},"guild_id":"290926798626999250",]]
    .. [["channel_id":"645027906669510667","member":{"user":{"id":"273434170812456960","username":"ann"}}}]],
  ["3"] = [[{"id":"%NUMBER%","application_id":"1234560123453231555","type":3,"token":"unused","version":1,]]
    .. [["data":{"custom_id":"approve","component_type":2},"channel_id":"645027906669510667",]]
    .. [["user":{"id":"273434170812456960","username":"ann"}}]],
}
