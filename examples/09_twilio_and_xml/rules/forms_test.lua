test "a text message becomes JSON, and its sender is thanked" (function()
  local run = feed("/twilio/sms", { form = { From = "+15005550006", To = "+15005550001", Body = "Hello", MessageSid = "SM1" } })

  expect(run.status):is(200)
  expect(run.response.body):contains "<Message>Thanks, we got it.</Message>"
  expect(run.sent[1].json):is { from = "+15005550006", to = "+15005550001", text = "Hello", id = "SM1" }
end)

test "an order in XML becomes JSON" (function()
  local run = feed("/legacy/orders", {
    text = '<order><number>7</number><line sku="a" qty="2"/><line sku="b" qty="1"/></order>', content_type = "application/xml",
  })

  expect(run.sent[1].target):is "legacy"
  expect(run.sent[1].json):is { number = "7", lines = { { sku = "a", qty = 2 }, { sku = "b", qty = 1 } } }
end)

test "what is no XML is refused" (function()
  local run = feed("/legacy/orders", { text = "<order>", content_type = "application/xml" })
  expect(run.status):is(400)
end)
