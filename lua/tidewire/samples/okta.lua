--- Samples of okta, in the shape of its documented payloads (tidewire.samples).
return {
  ["com.okta.event_hook"] = [[{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1",]]
    .. [["source":"https://id.example.com/api/v1/eventHooks/1","eventId":"%ID%","eventTime":"%TIME%",]]
    .. [["contentType":"application/json","data":{"events":[{"uuid":"%ID%","published":"%TIME%",]]
    .. [["eventType":"user.lifecycle.create","severity":"INFO","outcome":{"result":"SUCCESS"},]]
    .. [["actor":{"alternateId":"ann@example.com","type":"User"}}]}}]],
  ["user.session.start"] = [[{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1",]]
    .. [["source":"https://id.example.com/api/v1/eventHooks/1","eventId":"%ID%","eventTime":"%TIME%",]]
    .. [["contentType":"application/json","data":{"events":[{"uuid":"%ID%","published":"%TIME%",]]
    .. [["eventType":"user.session.start","severity":"INFO","outcome":{"result":"SUCCESS"},]]
    .. [["actor":{"alternateId":"ann@example.com","type":"User"}}]}}]],
  ["group.user_membership.add"] = [[{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0",]]
    .. [["cloudEventsVersion":"0.1","source":"https://id.example.com/api/v1/eventHooks/1","eventId":"%ID%",]]
    .. [["eventTime":"%TIME%","contentType":"application/json","data":{"events":[{"uuid":"%ID%","published":"%TIME%",]]
    .. [["eventType":"group.user_membership.add","severity":"INFO","outcome":{"result":"SUCCESS"},]]
    .. [["actor":{"alternateId":"ann@example.com","type":"User"}}]}}]],
}
