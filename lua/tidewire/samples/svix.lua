--- Samples of svix, in the shape of its documented payloads (tidewire.samples).
return {
  ["user.created"] = [[{"type":"user.created","timestamp":"%TIME%","data":{"id":"user_1","email":"ann@example.com"}}]],
  ["user.deleted"] = [[{"type":"user.deleted","timestamp":"%TIME%","data":{"id":"user_1"}}]],
  ["message.attempt.exhausted"] = [[{"type":"message.attempt.exhausted","timestamp":"%TIME%","data":{"appId":"app_1",]]
    .. [["endpointId":"ep_1","msgId":"msg_1","lastAttempt":{"responseStatusCode":500}}}]],
}
