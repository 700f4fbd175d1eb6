--- Twitch EventSub. Source: providers.md, row Twitch; dev.twitch.tv, "Getting Events Using Webhook Callbacks": times are RFC
-- 3339. {id}{timestamp}{body}: such a time has a fixed form, so there is one way to split them. A revocation has the type of
-- what was revoked in its body: it is told by its header.
return {
  verify = {
    header = "Twitch-Eventsub-Message-Signature", prefix = "sha256=", signed = "{id}{timestamp}{body}",
    id = "headers.twitch-eventsub-message-id", timestamp = "headers.twitch-eventsub-message-timestamp",
    timestamp_format = "rfc3339", max_age = "10m",
  },
  options = { secret = true, max_age = false },
  type = {
    { at = "headers.twitch-eventsub-message-type", is = "revocation", says = "revocation" },
    "body.subscription.type",
  },
  id = "headers.twitch-eventsub-message-id",
  handshake = { {
    when = { ["headers.twitch-eventsub-message-type"] = "webhook_callback_verification" }, echo = "body.challenge",
  } },
  reply = { status = 204, body = "" },
}
