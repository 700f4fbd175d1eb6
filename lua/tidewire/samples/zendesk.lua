--- Samples of zendesk, in the shape of its documented payloads (tidewire.samples).
return {
  ["zen:event-type:ticket.created"] = [[{"account_id":123456,"type":"zen:event-type:ticket.created","id":"%ID%",]]
    .. [["time":"%TIME%","zendesk_event_version":"2022-11-06","subject":"zen:ticket:1","detail":{"id":"1",]]
    .. [["subject":"Hello","status":"NEW","priority":"NORMAL"},"event":{}}]],
  ["zen:event-type:ticket.status_changed"] = [[{"account_id":123456,"type":"zen:event-type:ticket.status_changed",]]
    .. [["id":"%ID%","time":"%TIME%","zendesk_event_version":"2022-11-06","subject":"zen:ticket:1","detail":{"id":"1",]]
    .. [["subject":"Hello","status":"SOLVED"},"event":{"current":"SOLVED","previous":"OPEN"}}]],
  ["zen:event-type:user.created"] = [[{"account_id":123456,"type":"zen:event-type:user.created","id":"%ID%",]]
    .. [["time":"%TIME%","zendesk_event_version":"2022-11-06","subject":"zen:ticket:1","detail":{"id":"6596848315901",]]
    .. [["email":"ann@example.com","role":"end-user"},"event":{}}]],
}
