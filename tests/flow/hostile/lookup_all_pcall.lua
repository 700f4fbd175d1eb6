-- class: lookup · expect: cpu wait
-- A hundred at a time, of which the first that fails ends the others.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  limits = { handler_time = "3s" },
  handle = function(event)
    local list = {}
    for i = 1, 100 do
      list[i] = { url = "http://127.0.0.1:1/" .. i, private = true }
    end
    while true do
      pcall(http.all, list)
    end
  end,
}
