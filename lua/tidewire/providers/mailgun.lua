--- Mailgun. Source: providers.md, row Mailgun; mailgun-php Api/Webhook. Signed is a token, not what happened: event.verified says
-- so, and a token counts once, whatever a route says about `dedupe`; its signature stands for it. {timestamp} and the token
-- touch, and digits of one could be taken for those of the other: under the same signature, which is why it is the signature
-- that is remembered, not the token.
return {
  verify = {
    field = "body.signature.signature", signed = "{timestamp}{body:signature.token}", body_unsigned = true,
    timestamp = "body.signature.timestamp", name = "mailgun (payload not signed)",
  },
  options = { secret = true, max_age = false },
  type = "body[\"event-data\"].event",
  id = "body[\"event-data\"].id",
  remember_signature = "always",
  reply = { status = 200, body = "" }, -- anything else but 406 is tried again
  types = { "accepted", "clicked", "complained", "delivered", "failed", "opened", "rejected", "stored", "unsubscribed" },
}
