--- Standard Webhooks 1.0.0 (standardwebhooks.com). Source: providers.md, row "Standard Webhooks / Svix".
return {
  verify = {
    header = "webhook-signature", format = "list", signature = "v1", public_signature = "v1a", encoding = "base64",
    signed = "{id}.{timestamp}.{body}", timestamp = "headers.webhook-timestamp", id = "headers.webhook-id",
    key = "standard", -- the base64 part of "whsec_…"
  },
  options = { secret = false, public_key = false, max_age = false },
  one_of = { "secret", "public_key" },
  public_key = "ed25519",
  type = "body.type",
  id = "headers.webhook-id",
}
