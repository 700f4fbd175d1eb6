--- Okta event hooks: a fixed Authorization header, and a question by GET when the hook is made. Source: providers.md, row "Also
-- cheap to add". A request may hold several events, in body.data.events.
return {
  verify = { scheme = "token", header = "Authorization" },
  each = "body.data.events",
  type = "body.eventType", -- with `each` that of the event, else that of the hook
  id = { "body.uuid", "body.eventId" },
  handshake = { { method = "GET", echo = "headers.x-okta-verification-challenge", json = "verification" } },
  reply = { status = 200, body = "" },
}
