test "a paid invoice goes to the ledger only, signed" (function()
  local run = feed("/app", sample.standard["invoice.paid"])

  expect(run.state):is "done"
  expect(run.sent):has(1)
  expect(run.sent[1].target):is "ledger"
  expect(run.sent[1].json):like { account = "cus_1", kind = "invoice.paid", amount = 1990 }
  expect(run.sent[1].headers["webhook-signature"]):contains "v1,"
end)

test "a failed payment also writes a mail" (function()
  local run = feed("/app", sample.standard["invoice.payment_failed"])

  expect(run.sent):has(2)
  expect(sent "mail"):has(1)
  expect(sent "mail"[1].json):is {
    to       = "ann@example.com",
    template = "payment-failed",
    values   = { invoice = "in_2", amount = 1990 },
  }
end)

test "other events are ignored" (function()
  expect(feed("/app", sample.standard["customer.created"]).state):is "ignored"
end)

test "a ledger that is down for an hour gets its entry later, the mail does not wait" (function()
  mock.target("ledger", { 503, 503, 503, 503 })
  local run = feed("/app", sample.standard["invoice.payment_failed"])

  expect(run.deliveries[1]):like { target = "ledger", state = "waiting" }
  expect(run.deliveries[2]):like { target = "mail", state = "delivered" }
  clock.pass "1h"
  expect(run.state):is "done"
end)
