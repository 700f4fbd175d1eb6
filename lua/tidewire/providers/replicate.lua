--- Replicate: Standard Webhooks; the body is the prediction, so its type is how far that is. Source: providers.md, row
-- "Also cheap to add".
local standard = require "tidewire.providers.standard"

return {
  verify = standard.verify,
  options = { secret = true, max_age = false },
  type = "body.status",
  id = "headers.webhook-id",
  types = { "canceled", "failed", "processing", "starting", "succeeded" },
}
