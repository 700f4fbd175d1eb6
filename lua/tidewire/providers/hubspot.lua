--- HubSpot. Source: providers.md, rows HubSpot; hubspot-api-nodejs utils/signature.ts. v1 and v2 only by name: a SHA-256 of
-- secret and text can be made longer by who does not know the secret, so they take JSON to its last byte and nothing else.
-- {body}{timestamp}: digits taken from or added to the time's 13 make a time that is years off. The event id is not promised to
-- be unique: with what it is about and when, it is.
local schemes = {
  v1 = { scheme = "hash", header = "X-HubSpot-Signature", signed = "{secret}{body}", json_only = true },
  v2 = { scheme = "hash", header = "X-HubSpot-Signature", signed = "{secret}{method}{url}{body}", json_only = true },
  v3 = {
    header = "X-HubSpot-Signature-v3", encoding = "base64", signed = "{method}{url}{body}{timestamp}",
    timestamp = "headers.x-hubspot-request-timestamp", timestamp_format = "unix_ms",
  },
}

return {
  options = { secret = true, version = { "v3", "v2", "v1" }, public_url = false, max_age = false },
  verify = function(options) return schemes[options.version or "v3"] end,
  lists = true,
  type = "body.subscriptionType",
  id = { join = { "body.eventId", "body.subscriptionId", "body.objectId", "body.occurredAt" } },
  remember_signature = true,
}
