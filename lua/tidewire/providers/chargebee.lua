--- Chargebee: Basic authentication. Source: providers.md, row "Also cheap to add".
return {
  verify = { scheme = "basic", secret = "password" },
  options = { user = true, password = true },
  type = "body.event_type",
  id = "body.id",
  reply = { status = 200, body = "" },
}
