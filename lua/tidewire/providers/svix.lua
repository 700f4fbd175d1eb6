--- Svix: Standard Webhooks with headers of its own. Source: providers.md, row "Standard Webhooks / Svix".
local check = require "tidewire.loader.check"
local standard = require "tidewire.providers.standard"

return {
  verify = check.with_defaults({
    header = "svix-signature", timestamp = "headers.svix-timestamp", id = "headers.svix-id",
  }, standard.verify),
  options = { secret = true, max_age = false },
  type = { "body.type", "body.eventType" },
  id = "headers.svix-id",
}
