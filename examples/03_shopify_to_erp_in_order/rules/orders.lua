local erp = target "erp" {
  url         = env "ERP_URL",
  concurrency = 8,               -- eight orders at once ...
  order_by    = "body.order",    -- ... but never two messages of one order
  timeout     = "30s",
  breaker     = { open_after = 5, probe_every = "30s" },
  tls         = { cert = "erp-client.pem", key = secret "ERP_CLIENT_KEY" },
}

route "/shopify/orders" {
  from   = provider.shopify { secret = secret "SHOPIFY_SECRET" },
  when   = { type = { "orders/create", "orders/updated", "orders/cancelled" } },
  schema = "schemas/shopify-order.json",

  handle = function(event)
    local order = event.body
    local items = json.array {}
    for _, line in ipairs(order.line_items) do
      items[#items + 1] = { sku = line.sku, qty = line.quantity, price = line.price }
    end
    send(erp, {
      path = "/orders/" .. url.escape(order.name),
      json = { order = order.id, action = event.type, items = items, total = order.total_price },
    })
  end,

  on_dead = function(event, why)
    log.error("order never reached the ERP", { order = event:get "body.name", why = why })
  end,
}
