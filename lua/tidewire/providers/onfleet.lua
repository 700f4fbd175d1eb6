--- Onfleet. Source: providers.md, row "Also cheap to add"; docs.onfleet.com, "Webhook Authentication": the secret is the key in
-- hex.
return {
  verify = { header = "X-Onfleet-Signature", algorithm = "sha512", key = "hex" },
  type = "body.triggerName",
  remember_signature = true, -- there is no id, and no time is signed
  handshake = { { method = "GET", echo = "query.check" } },
  reply = { status = 200, body = "" },
}
