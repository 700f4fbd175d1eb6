--- Samples of linear, in the shape of its documented payloads (tidewire.samples).
return {
  ["Issue.create"] = [[{"action":"create","type":"Issue","createdAt":"%TIME%",]]
    .. [["organizationId":"4c0d4c7e-5b5a-4d36-9c3f-2a4f3c6d0b11","webhookTimestamp":%NOW_MS%,]]
    .. [["webhookId":"b2a5c8f4-1d4e-4c7a-8f43-5a7d9c1e2f30","url":"https://linear.example.com/acme/issue/HEL-1",]]
    .. [["data":{"id":"%ID%","identifier":"HEL-1","title":"Spelling of hello","priority":2,"state":{"name":"Todo"},]]
    .. [["team":{"key":"HEL"}}}]],
  ["Issue.update"] = [[{"action":"update","type":"Issue","createdAt":"%TIME%",]]
    .. [["organizationId":"4c0d4c7e-5b5a-4d36-9c3f-2a4f3c6d0b11","webhookTimestamp":%NOW_MS%,]]
    .. [["webhookId":"b2a5c8f4-1d4e-4c7a-8f43-5a7d9c1e2f30","url":"https://linear.example.com/acme/issue/HEL-1",]]
    .. [["data":{"id":"%ID%","identifier":"HEL-1","title":"Spelling of hello","priority":2,"state":{"name":"Done"},]]
    .. [["team":{"key":"HEL"}}}]],
  ["Comment.create"] = [[{"action":"create","type":"Comment","createdAt":"%TIME%",]]
    .. [["organizationId":"4c0d4c7e-5b5a-4d36-9c3f-2a4f3c6d0b11","webhookTimestamp":%NOW_MS%,]]
    .. [["webhookId":"b2a5c8f4-1d4e-4c7a-8f43-5a7d9c1e2f30","url":"https://linear.example.com/acme/issue/HEL-1",]]
    .. [["data":{"id":"%ID%","body":"Seen.","issue":{"identifier":"HEL-1"},"user":{"name":"Ann"}}}]],
}
