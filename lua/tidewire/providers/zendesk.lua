--- Zendesk. Source: providers.md, row Zendesk; developer.zendesk.com, "Anatomy of a webhook request": the time is RFC 3339, and
-- the invocation id is in the head. {timestamp}{body}: such a time has a fixed form, so there is one way to split them. No
-- remember_signature: what a trigger sends may be equal for two tickets of one second.
return {
  verify = {
    header = "X-Zendesk-Webhook-Signature", encoding = "base64", signed = "{timestamp}{body}",
    timestamp = "headers.x-zendesk-webhook-signature-timestamp", timestamp_format = "rfc3339",
  },
  options = { secret = true, max_age = false },
  type = "body.type",
  id = "headers.x-zendesk-webhook-invocation-id",
}
