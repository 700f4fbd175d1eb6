--- Samples of resend, in the shape of its documented payloads (tidewire.samples).
return {
  ["email.sent"] = [[{"type":"email.sent","created_at":"%TIME%","data":{"email_id":"%ID%","from":"hello@example.com",]]
    .. [["to":["ann@example.com"],"subject":"Hello"}}]],
  ["email.delivered"] = [[{"type":"email.delivered","created_at":"%TIME%","data":{"email_id":"%ID%",]]
    .. [["from":"hello@example.com","to":["ann@example.com"],"subject":"Hello"}}]],
  ["email.bounced"] = [[{"type":"email.bounced","created_at":"%TIME%","data":{"email_id":"%ID%",]]
    .. [["from":"hello@example.com","to":["ann@example.com"],"subject":"Hello","bounce":{"type":"Permanent",]]
    .. [["message":"no such user"}}}]],
}
