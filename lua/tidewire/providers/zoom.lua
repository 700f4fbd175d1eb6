--- Zoom. Source: providers.md, row Zoom; zoom/webhook-sample. No id: the tracking id of the head is not said to be that of a
-- delivery.
return {
  verify = {
    header = "X-Zm-Signature", prefix = "v0=", signed = "v0:{timestamp}:{body}", timestamp = "headers.x-zm-request-timestamp",
  },
  options = { secret = true, max_age = false },
  type = "body.event",
  remember_signature = true,
  handshake = { { when = { ["body.event"] = "endpoint.url_validation" }, hmac = "body.payload.plainToken" } },
  reply = { status = 200, body = "" },
}
