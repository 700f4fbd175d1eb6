local function targets_of(run)
  return map(run.sent, function(message) return message.target end)
end

test "a customer goes to CRM and warehouse, byte for byte" (function()
  local run = feed("/events/shop", { body = '{"id": "e1",  "type": "customer.created"}', content_type = "application/json" })

  expect(targets_of(run)):is { "crm", "warehouse" }
  expect(run.sent[1].body):is '{"id": "e1",  "type": "customer.created"}'
end)

test "a large invoice is also reviewed" (function()
  expect(targets_of(feed("/events/shop", sample.generic["invoice.paid"]))):is { "billing", "crm", "warehouse" }
  expect(targets_of(feed("/events/shop", sample.generic["invoice.large"]))):is { "billing", "crm", "warehouse", "review" }
end)

test "what nobody wants is dropped, and the reason says so" (function()
  local run = feed("/events/shop", { json = { id = "e1", type = "unknown" } })

  expect(run.state):is "dropped"
  expect(run.reason):is "no target for type unknown"
end)

test "an event that comes again within two days is sent once" (function()
  local event = { json = { id = "e1", type = "page.view" } }

  feed("/events/shop", event)
  clock.pass "47h"
  expect(feed("/events/shop", event).state):is "duplicate"
  expect(sent "warehouse"):has(1)
  clock.pass "1h"
  expect(feed("/events/shop", event).state):is "done"
end)
