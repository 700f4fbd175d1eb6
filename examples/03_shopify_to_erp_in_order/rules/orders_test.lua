test "an order is handed on with what the ERP needs" (function()
  local run = feed("/shopify/orders", sample.shopify["orders/create"] { body = { name = "#1001", total_price = "409.94" } })

  expect(run.state):is "done"
  expect(run.sent):has(1)
  expect(run.sent[1].path):is "/orders/%231001"
  expect(run.sent[1].json):like { action = "orders/create", total = "409.94" }
end)

test "what is no order is refused with the place" (function()
  local run = feed("/shopify/orders", sample.shopify["orders/create"] { body = { line_items = json.array {} } })

  expect(run.status):is(422)
  expect(run.reason):contains "body.line_items"
end)

test "a second change of an order waits for the first" (function()
  mock.target("erp", { 503, 200, repeat_last = true })
  feed("/shopify/orders", sample.shopify["orders/create"] { body = { id = 1, name = "#1" } })
  feed("/shopify/orders", sample.shopify["orders/updated"] { body = { id = 1, name = "#1", total_price = "9.00" } })
  expect(sent "erp"):has(1)

  clock.pass "1h"
  expect(sent "erp"[1].answers):is { 503, 200 }
  expect(sent "erp"[2]):like { answers = { 200 }, json = { action = "orders/updated" } }
end)

test "a failing ERP is tried again, then given up" (function()
  mock.target("erp", { 503, repeat_last = true })
  local run = feed("/shopify/orders", sample.shopify["orders/create"] {})

  clock.pass "4d"
  expect(run.deliveries[1]):like { target = "erp", state = "dead" }
  expect(run.deliveries[1].reason):contains "503"
end)
