--- Samples of calendly, in the shape of its documented payloads (tidewire.samples).
return {
  ["invitee.created"] = [[{"event":"invitee.created","created_at":"%TIME%",]]
    .. [["created_by":"https://api.calendly.example.com/users/AAAA",]]
    .. [["payload":{"uri":"https://api.calendly.example.com/scheduled_events/1/invitees/%ID%",]]
    .. [["email":"ann@example.com","name":"Ann","status":"active",]]
    .. [["event":"https://api.calendly.example.com/scheduled_events/1","timezone":"Europe/Berlin"}}]],
  ["invitee.canceled"] = [[{"event":"invitee.canceled","created_at":"%TIME%",]]
    .. [["created_by":"https://api.calendly.example.com/users/AAAA",]]
    .. [["payload":{"uri":"https://api.calendly.example.com/scheduled_events/1/invitees/%ID%",]]
    .. [["email":"ann@example.com","name":"Ann","status":"canceled",]]
    .. [["event":"https://api.calendly.example.com/scheduled_events/1","timezone":"Europe/Berlin"}}]],
  ["routing_form_submission.created"] = [[{"event":"routing_form_submission.created","created_at":"%TIME%",]]
    .. [["created_by":"https://api.calendly.example.com/users/AAAA",]]
    .. [["payload":{"uri":"https://api.calendly.example.com/routing_form_submissions/%ID%","submitter_type":"Invitee",]]
    .. [["questions_and_answers":[{"question":"Your name","answer":"Ann"}]}}]],
}
