--- Samples of sendgrid, in the shape of its documented payloads (tidewire.samples).
return {
  delivered = [[[{"email":"ann@example.com","timestamp":%NOW%,"smtp-id":"<1@mail.example.com>","event":"delivered",]]
    .. [=["category":["newsletter"],"sg_event_id":"%ID%","sg_message_id":"%ID%.recvd","response":"250 OK"}]]=],
  bounce = [[[{"email":"ann@example.com","timestamp":%NOW%,"smtp-id":"<1@mail.example.com>","event":"bounce",]]
    .. [["category":["newsletter"],"sg_event_id":"%ID%","sg_message_id":"%ID%.recvd","reason":"550 no such user",]]
    .. [=["status":"5.1.1","type":"bounce"}]]=],
  open = [[[{"email":"ann@example.com","timestamp":%NOW%,"smtp-id":"<1@mail.example.com>","event":"open",]]
    .. [["category":["newsletter"],"sg_event_id":"%ID%","sg_message_id":"%ID%.recvd","useragent":"Mail/1.0",]]
    .. [=["ip":"192.0.2.7"}]]=],
  click = [[[{"email":"ann@example.com","timestamp":%NOW%,"smtp-id":"<1@mail.example.com>","event":"click",]]
    .. [["category":["newsletter"],"sg_event_id":"%ID%","sg_message_id":"%ID%.recvd","url":"https://example.com/hello",]]
    .. [=["ip":"192.0.2.7"}]]=],
}
