--- Standard Webhooks 1.0.0 (standardwebhooks.com). Source: providers.md, row "Standard Webhooks / Svix".
return {
  verify = {
    header = "webhook-signature", format = "list", signature = "v1", encoding = "base64",
    signed = "{id}.{timestamp}.{body}", timestamp = "headers.webhook-timestamp", id = "headers.webhook-id",
  },
  key = "standard", -- the base64 part of "whsec_…"
  type = "body.type",
  id = "headers.webhook-id",
}
