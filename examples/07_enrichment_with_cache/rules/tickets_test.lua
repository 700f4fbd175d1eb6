test "a ticket gets the plan of its customer" (function()
  mock.http { ["GET */customers/7"] = { json = { plan = "enterprise" } } }
  local run = feed("/tickets", { json = { customer_id = "7", subject = "Help" } })

  expect(run.sent[1].json):is { customer_id = "7", subject = "Help", plan = "enterprise", priority = "high" }
end)

test "an unknown customer still gets a ticket" (function()
  mock.http { ["GET */customers/7"] = { status = 404 } }
  local run = feed("/tickets", { json = { customer_id = "7" } })

  expect(run.sent[1].json):like { plan = "unknown", priority = "normal" }
end)

test "the CRM is asked once in ten minutes" (function()
  mock.http { ["GET */customers/7"] = { { json = { plan = "free" } }, { json = { plan = "enterprise" } } } }
  feed("/tickets", { json = { customer_id = "7" } })
  feed("/tickets", { json = { customer_id = "7" } })
  expect(sent "helpdesk"[2].json.plan):is "free"

  clock.pass "11m"
  feed("/tickets", { json = { customer_id = "7" } })
  expect(sent "helpdesk"[3].json.plan):is "enterprise"
end)

test "while the CRM fails the ticket waits" (function()
  mock.http { ["GET */customers/7"] = { { status = 500 }, { json = { plan = "free" } } } }
  local run = feed("/tickets", { json = { customer_id = "7" } })
  expect(run.state):is "waiting"

  clock.pass "20s"
  expect(run.state):is "done"
end)
