local deployer = target "deployer" {
  url  = env "DEPLOYER_URL",
  auth = auth.bearer(secret "DEPLOYER_TOKEN"),
}

local allowed = { staging = true, production = true }

route "/slack/deploy" {
  from       = provider.slack { secret = secret "SLACK_SIGNING_SECRET" },
  ack        = "handled",
  ack_within = "2500ms",         -- Slack hangs up after three seconds
  reply      = { status = 200, json = { text = "Still working on it." } },

  handle = function(event)
    local form = event.body
    local place = text.trim(form.text)

    if not allowed[place] then
      return respond(200, { json = { text = "Say `/deploy staging` or `/deploy production`." } })
    end

    send(deployer, { json = { place = place, by = form.user_id, answer_to = form.response_url } })
    return respond(200, { json = { response_type = "in_channel", text = "Deploying to " .. place .. " …" } })
  end,
}
