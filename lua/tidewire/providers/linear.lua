--- Linear. Source: providers.md, row Linear. The header Linear-Delivery rests on public receivers; the time in the body is the
-- one that is signed, and without it a request is refused.
return {
  verify = { header = "Linear-Signature", timestamp = "body.webhookTimestamp", max_age = "60s" },
  options = { secret = true, max_age = false },
  type = { { join = { "body.type", "body.action" } }, "body.type" }, -- "Issue.create"
  id = "headers.linear-delivery",
  remember_signature = true, -- the id is not signed
  reply = { status = 200, body = "" },
}
