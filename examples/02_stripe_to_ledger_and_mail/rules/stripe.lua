local ledger = target "ledger" {
  url      = env "LEDGER_URL",
  sign     = sign.standard { secret = secret "LEDGER_SIGNING_SECRET" },
  order_by = "body.account",
  retry    = { attempts = 20, first = "5s", max = "1h" },
}

local mail = target "mail" {
  url  = "https://api.mail.example/v1/messages",
  auth = auth.bearer(secret "MAIL_TOKEN"),
  rate = "10/s",
}

route "/stripe" {
  from   = provider.stripe { secret = secret "STRIPE_ENDPOINT_SECRET" },
  when   = { type = { "invoice.paid", "invoice.payment_failed" } },

  handle = function(event)
    local invoice = event.body.data.object

    send(ledger, { json = {
      account = invoice.customer,
      kind    = event.type,
      amount  = invoice.amount_due,
      at      = time.iso(event.body.created),
    } })

    if event.type == "invoice.payment_failed" then
      send(mail, { json = {
        to       = invoice.customer_email,
        template = "payment-failed",
        values   = { url = invoice.hosted_invoice_url },
      } })
    end
  end,
}
