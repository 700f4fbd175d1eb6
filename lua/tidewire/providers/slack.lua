--- Slack: events, interactions, commands. Source: providers.md, row Slack; slackapi/python-slack-sdk, signature.
-- A text in an answer to a command is shown to who typed it: so the answer is empty.
return {
  verify = {
    header = "X-Slack-Signature", prefix = "v0=", signed = "v0:{timestamp}:{body}",
    timestamp = "headers.x-slack-request-timestamp",
  },
  options = { secret = true, max_age = false },
  type = { "body.event.type", "body.type", "body.command" },
  id = "body.event_id",
  remember_signature = true, -- commands and interactions have no id
  form_payload = true,       -- interactions: a form with the one field `payload`
  handshake = { { when = { ["body.type"] = "url_verification" }, echo = "body.challenge" } },
  reply = { status = 200, body = "" },
}
