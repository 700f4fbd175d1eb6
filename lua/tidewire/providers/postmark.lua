--- Postmark: Basic authentication. Source: providers.md, row "Also cheap to add". MessageID is the same for sent, opened,
-- bounced, so there is no id.
return {
  verify = { scheme = "basic", secret = "password" },
  options = { user = true, password = true },
  type = "body.RecordType",
  reply = { status = 200, body = "" },
  types = { "Bounce", "Click", "Delivery", "Inbound", "Open", "SpamComplaint", "SubscriptionChange" },
}
