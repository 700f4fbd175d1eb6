--- Paddle Billing. Source: providers.md, row Paddle; paddle-node-sdk webhooks-validator. 5m as everywhere: the 5 s there are for
-- checks within one process. notification_id is another one for each repetition from the dashboard.
return {
  verify = { header = "Paddle-Signature", format = "k=v;", signature = "h1", timestamp = "ts", signed = "{timestamp}:{body}" },
  options = { secret = true, max_age = false },
  type = "body.event_type",
  id = "body.event_id",
  reply = { status = 200, body = "" },
}
