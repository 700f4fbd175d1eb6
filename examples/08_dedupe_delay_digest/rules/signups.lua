local chat = target "chat" { url = secret "CHAT_WEBHOOK_URL" }

local signups = batch "signups" {
  every = "1h",
  max   = 200,
  by    = "team",
  flush = function(items, team)
    send(chat, { json = {
      channel = team,
      text    = text.plural(#items, "new signup") .. ": " .. text.join(items, ", ", "email"),
    } })
  end,
}

local nudge = task "nudge" {
  handle = function(data)
    if not kv.get("active:" .. data.user) then
      send(chat, { json = { channel = "success", text = data.email .. " has not come back yet." } })
    end
  end,
}

route "/signup" {
  verify = verify.standard { secret = secret "APP_WEBHOOK_SECRET" },
  dedupe = { by = "body.user", within = "7d" },

  handle = function(event)
    local user = event.body
    signups:add { team = user.team, email = user.email }
    nudge:run_in("2d", { user = user.user, email = user.email }, { id = "nudge:" .. user.user })
  end,
}

route "/login" {
  verify = verify.standard { secret = secret "APP_WEBHOOK_SECRET" },

  handle = function(event)
    kv.set("active:" .. event.body.user, true, { ttl = "3d" })
    nudge:cancel("nudge:" .. event.body.user)
  end,
}
