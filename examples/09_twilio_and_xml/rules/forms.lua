local inbox  = target "inbox"  { url = env "INBOX_URL" }
local legacy = target "legacy" { url = env "LEGACY_URL" }

-- Twilio posts a form and wants TwiML back.
route "/twilio/sms" {
  from       = provider.twilio { secret = secret "TWILIO_AUTH_TOKEN", public_url = env "TWILIO_PUBLIC_URL" },
  ack        = "handled",
  ack_within = "5s",

  handle = function(event)
    local sms = event.body
    send(inbox, { json = { from = sms.From, to = sms.To, text = sms.Body, id = sms.MessageSid } })
    return respond(200, { xml = { "Response", { "Message", "Thanks, we got it." } } })
  end,
}

-- An older system posts XML; the inbox wants JSON.
route "/legacy/orders" {
  verify  = verify.basic { user = "legacy", password = secret "LEGACY_PASSWORD" },
  content = "xml",

  handle = function(event)
    local order = event.body
    local lines = json.array {}
    for _, line in ipairs(xml.all(order, "line")) do
      lines[#lines + 1] = { sku = line.attr.sku, qty = tonumber(line.attr.qty) }
    end
    send(legacy, { json = { number = xml.text(order, "number"), lines = lines } })
  end,
}
