--- Customer.io reporting webhooks. Source: providers.md, row "Also cheap to add"; the time is in X-CIO-Timestamp.
return {
  verify = { header = "X-CIO-Signature", signed = "v0:{timestamp}:{body}", timestamp = "headers.x-cio-timestamp" },
  options = { secret = true, max_age = false },
  type = { join = { "body.object_type", "body.metric" } }, -- "email.delivered"
  id = "body.event_id",
}
