local crm       = target "crm"       { url = env("CRM_URL", "https://crm.example.com/events") }
local billing   = target "billing"   { url = env("BILLING_URL", "https://billing.example.com/events") }
local warehouse = target "warehouse" { url = env("WAREHOUSE_URL", "https://warehouse.example.com/in"), retry = { attempts = 3 } }
local review    = target "review"    { url = env("REVIEW_URL", "https://review.example.com/queue") }

local by_type = {
  ["customer.*"] = { crm, warehouse },
  ["invoice.*"]  = { billing, crm, warehouse },
  ["page.view"]  = { warehouse },
}

route "/events/:source" {
  verify = verify.hmac { header = "X-Signature", secret = secret "EVENTS_SECRET" },
  dedupe = { by = "body.id", within = "48h" },

  handle = function(event)
    local where = text.choose(event.body.type, by_type)
    if not where then
      return drop("no target for type " .. tostring(event.body.type))
    end

    send(where, event) -- the same bytes to every target

    if (event:get("body.amount") or 0) > 10000 then
      send(review, event)
    end
  end,
}
