--- Shopify. Source: providers.md, row Shopify; the id is X-Shopify-Webhook-Id: X-Shopify-Event-Id is the same for several topics.
return {
  verify = { header = "X-Shopify-Hmac-Sha256", encoding = "base64" },
  type = "headers.x-shopify-topic",
  id = "headers.x-shopify-webhook-id",
  remember_signature = true, -- no time is signed
  max_body = "5MiB",
  reply = { status = 200, body = "" },
}
