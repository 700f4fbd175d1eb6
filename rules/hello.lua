-- A push to GitHub becomes one short message. Change a line and save: the next event follows the new rule.
local catcher = target "catcher" {
  url     = env("HELLO_TARGET", "http://127.0.0.1:9000/hello"),
  private = true, -- the catcher of `tidewire listen` runs on this machine
}

route "/github" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  when = { type = "push" },

  handle = function(event)
    local push = event.body
    send(catcher, { json = {
      text   = push.pusher.name .. " pushed " .. text.plural(#push.commits, "commit") .. " to " .. push.repository.full_name,
      commit = push.after,
    } })
  end,
}
