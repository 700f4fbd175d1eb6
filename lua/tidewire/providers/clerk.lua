--- Clerk: webhooks by Svix. Source: providers.md, row "Also cheap to add".
local svix = require "tidewire.providers.svix"

return {
  verify = svix.verify,
  options = { secret = true, max_age = false },
  type = "body.type",
  id = "headers.svix-id",
}
