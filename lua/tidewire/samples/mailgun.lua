--- Samples of mailgun, in the shape of its documented payloads (tidewire.samples).
return {
  delivered = [[{"signature":{"timestamp":"%NOW%","token":"%HEX%","signature":""},"event-data":{"id":"%ID%",]]
    .. [["event":"delivered","timestamp":1763700000.25,"recipient":"ann@example.com",]]
    .. [["message":{"headers":{"message-id":"1@mail.example.com","subject":"Hello"}},"tags":[],]]
    .. [["delivery-status":{"code":250,"message":"OK"}}}]],
  failed = [[{"signature":{"timestamp":"%NOW%","token":"%HEX%","signature":""},"event-data":{"id":"%ID%",]]
    .. [["event":"failed","timestamp":1763700000.25,"recipient":"ann@example.com",]]
    .. [["message":{"headers":{"message-id":"1@mail.example.com","subject":"Hello"}},"tags":[],"severity":"permanent",]]
    .. [["reason":"bounce","delivery-status":{"code":550,"message":"no such user"}}}]],
  opened = [[{"signature":{"timestamp":"%NOW%","token":"%HEX%","signature":""},"event-data":{"id":"%ID%",]]
    .. [["event":"opened","timestamp":1763700000.25,"recipient":"ann@example.com",]]
    .. [["message":{"headers":{"message-id":"1@mail.example.com","subject":"Hello"}},"tags":[],]]
    .. [["client-info":{"client-name":"Mail"},"ip":"192.0.2.7"}}]],
  complained = [[{"signature":{"timestamp":"%NOW%","token":"%HEX%","signature":""},"event-data":{"id":"%ID%",]]
    .. [["event":"complained","timestamp":1763700000.25,"recipient":"ann@example.com",]]
    .. [["message":{"headers":{"message-id":"1@mail.example.com","subject":"Hello"}},"tags":[]}}]],
}
