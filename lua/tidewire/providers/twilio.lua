--- Twilio. Source: providers.md, rows Twilio; twilio-python request_validator.py. The id header is that of repetitions after a
-- failed connection; MessageSid repeats for queued, sent, delivered, so it is none. {url}{form-sorted}: Twilio puts no mark
-- between URL, names and values, so who holds a signed request could say its bytes again, cut at other places, but no others.
return {
  verify = {
    header = "X-Twilio-Signature", algorithm = "sha1", encoding = "base64", signed = "{url}{form-sorted}",
    body_sha256 = "bodySHA256", url_ports = true,
  },
  options = { secret = true, public_url = true },
  type = { "body.EventType", "body.MessageStatus", "body.SmsStatus", "body.CallStatus" },
  id = "headers.i-twilio-idempotency-token",
  -- no remember_signature: who presses the same key twice in a call makes two requests that are equal to the byte
  reply = { status = 200, body = "<Response/>", content_type = "text/xml" },
}
