--- Notion. Source: providers.md, row Notion; notion-sdk-js webhooks.ts. The secret is what Notion itself says with its first
-- request: while it is not set that request is answered and the secret logged, for the operator to set it and confirm it at
-- Notion. Sources disagree on whether that request is signed: nothing rests on it.
return {
  verify = { header = "X-Notion-Signature", prefix = "sha256=" },
  type = "body.type",
  id = "body.id",
  remember_signature = true, -- no time is signed
  handshake = { { when = { ["body.verification_token"] = "*" }, show = "body.verification_token" } },
  reply = { status = 200, body = "" },
}
