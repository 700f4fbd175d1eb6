--- Typeform. Source: providers.md, row Typeform; base64 behind "sha256=".
return {
  verify = { header = "Typeform-Signature", prefix = "sha256=", encoding = "base64" },
  type = "body.event_type",
  id = "body.event_id",
  remember_signature = true, -- no time is signed
}
