-- class: lookup · expect: cpu wait
-- Each error is swallowed and it asks again.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  limits = { handler_time = "3s" },
  handle = function(event)
    while true do
      pcall(http.get, "http://127.0.0.1:1/", { private = true })
    end
  end,
}
