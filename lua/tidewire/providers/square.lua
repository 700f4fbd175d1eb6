--- Square. Source: providers.md, row Square; square-nodejs-sdk WebhooksHelper. The URL is the one that was registered.
-- {url}{body}: the URL is ours, so there is one way to split them.
return {
  verify = { header = "X-Square-HmacSha256-Signature", encoding = "base64", signed = "{url}{body}" },
  options = { secret = true, public_url = true },
  type = "body.type",
  id = "body.event_id",
  remember_signature = true, -- no time is signed
}
