--- Discord: interactions and webhook events. Source: providers.md, row Discord; discord-api-docs, "Interactions", "Webhook
-- Events". Interactions have a snowflake as id, webhook events none. {timestamp}{body}: a JSON object does not begin with a
-- digit.
return {
  verify = {
    scheme = "ed25519", header = "X-Signature-Ed25519", signed = "{timestamp}{body}", timestamp = "headers.x-signature-timestamp",
  },
  options = { public_key = true, max_age = false },
  public_key = "ed25519",
  type = { "body.event.type", "body.type" },
  id = "body.id",
  remember_signature = true,
  handshake = {
    { when = { ["body.type"] = 0, ["body.event"] = false }, reply = { status = 204, body = "" } },
    { when = { ["body.type"] = 1, ["body.event"] = false },
      reply = { status = 200, body = "{\"type\":1}", content_type = "application/json" } },
  },
  reply = { status = 204, body = "" },
}
