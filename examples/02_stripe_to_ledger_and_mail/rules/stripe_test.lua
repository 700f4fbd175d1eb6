test "a paid invoice is entered, and nobody is written to" (function()
  local run = feed("/stripe", sample.stripe["invoice.paid"] { body = { data = { object = { customer = "cus_7", amount_due = 1999 } } } })

  expect(run.state):is "done"
  expect(run.sent):has(1)
  expect(run.sent[1].target):is "ledger"
  expect(run.sent[1].json):like { account = "cus_7", kind = "invoice.paid", amount = 1999 }
end)

test "a failed payment is entered and becomes a mail" (function()
  local run = feed("/stripe", sample.stripe["invoice.payment_failed"] {
    body = { data = { object = { customer_email = "ada@example.com" } } },
  })

  expect(run.sent):has(2)
  expect(run.sent[2].target):is "mail"
  expect(run.sent[2].json):like { to = "ada@example.com", template = "payment-failed" }
end)

test "the same event twice is entered once" (function()
  local paid = sample.stripe["invoice.paid"] { body = { id = "evt_1" } }
  feed("/stripe", paid)
  feed("/stripe", paid)

  expect(sent "ledger"):has(1)
end)

test "a ledger that is down gets the entry later" (function()
  mock.target("ledger", { 503, 503, 200 })
  local run = feed("/stripe", sample.stripe["invoice.paid"] {})
  expect(run.state):is "delivering"

  clock.pass "1h"
  expect(run.state):is "done"
end)
