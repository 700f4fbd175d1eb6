local bus = target "bus" {
  url  = env "BUS_URL",
  sign = sign.standard { secret = secret "BUS_SIGNING_SECRET" },
}

-- In: CloudEvents, binary or structured, with the OPTIONS handshake answered for us.
route "/cloudevents" {
  from   = provider.cloudevents { allow_origins = { "eventgrid.example.com" }, bearer = secret "CE_TOKEN" },
  when   = function(event) return not text.starts(event.type, "internal.") end,

  handle = function(event)
    send(bus, { json = { type = event.type, timestamp = time.iso(event.time), data = event.data } })
  end,
}

-- Out: a plain GitLab hook becomes a CloudEvent.
route "/gitlab" {
  from   = provider.gitlab { secret = secret "GITLAB_TOKEN" },

  handle = function(event)
    send(bus, { cloudevent = {
      type    = "com.gitlab." .. event.type,
      source  = event:get("body.project.web_url", "urn:gitlab"),
      subject = event:get "body.object_attributes.iid",
      data    = event.body,
    } })
  end,
}
