--- Brex: Standard Webhooks. Source: providers.md, row "Also cheap to add".
local standard = require "tidewire.providers.standard"

return {
  verify = standard.verify,
  options = { secret = true, max_age = false },
  type = "body.event_type",
  id = "headers.webhook-id",
}
