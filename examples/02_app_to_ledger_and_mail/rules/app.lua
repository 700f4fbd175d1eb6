local ledger = target "ledger" {
  url   = env("LEDGER_URL", "https://ledger.example.com/entries"),
  sign  = sign.standard { secret = secret "LEDGER_SIGNING_SECRET" },
  retry = { attempts = 20, first = "5s", max = "1h" },
}

local mail = target "mail" {
  url  = env("MAIL_URL", "https://mail.example.com/v1/messages"),
  auth = auth.bearer(secret "MAIL_TOKEN"),
  rate = "10/s",
}

route "/app" {
  from = provider.standard { secret = secret "APP_WEBHOOK_SECRET" },
  when = { type = { "invoice.paid", "invoice.payment_failed" } },

  -- Both messages leave, or none: they are committed together when this function returns.
  handle = function(event)
    local invoice = event.body.data

    send(ledger, { json = {
      account = invoice.customer,
      kind    = event.type,
      amount  = invoice.amount,
      at      = time.iso(event.time),
    } })

    if event.type == "invoice.payment_failed" then
      send(mail, { json = {
        to       = invoice.email,
        template = "payment-failed",
        values   = { invoice = invoice.id, amount = invoice.amount },
      } })
    end
  end,
}
