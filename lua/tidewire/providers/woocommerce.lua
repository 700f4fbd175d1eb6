--- WooCommerce. Source: providers.md, row "Also cheap to add". Topic and delivery id stand in headers of the same family.
return {
  verify = { header = "X-WC-Webhook-Signature", encoding = "base64" },
  type = "headers.x-wc-webhook-topic",
  id = "headers.x-wc-webhook-delivery-id",
  remember_signature = true, -- no time is signed
  reply = { status = 200, body = "" },
}
