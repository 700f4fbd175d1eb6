--- SendGrid event webhook. Source: providers.md, row SendGrid; sendgrid-python eventwebhook. A request is a list of events.
-- {timestamp}{body} cannot be split in another way: the time is digits only, and a JSON list does not begin with one.
return {
  verify = {
    scheme = "ecdsa", header = "X-Twilio-Email-Event-Webhook-Signature", encoding = "base64", signed = "{timestamp}{body}",
    timestamp = "headers.x-twilio-email-event-webhook-timestamp",
  },
  options = { public_key = true, max_age = false },
  public_key = "p256",
  lists = true,
  type = "body.event",
  id = "body.sg_event_id",
  remember_signature = true, -- the list itself has no id
  types = {
    "account_status_change", "bounce", "click", "deferred", "delivered", "dropped", "group_resubscribe", "group_unsubscribe",
    "open", "processed", "spamreport", "unsubscribe",
  },
}
