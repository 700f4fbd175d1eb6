--- Stripe. Source: providers.md, row Stripe; stripe-python `_webhook.py`. The key is the whole text "whsec_…", not decoded.
return {
  verify = { header = "Stripe-Signature", format = "k=v,", signature = "v1", timestamp = "t", signed = "{timestamp}.{body}" },
  options = { secret = true, max_age = false },
  type = "body.type",
  id = "body.id",
}
