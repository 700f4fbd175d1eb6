-- class: lookup · expect: error · says: http.all asks at most 100 at once
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local list = {}
    for i = 1, 10000 do
      list[i] = { url = "http://127.0.0.1:1/" .. i, private = true }
    end
    http.all(list)
  end,
}
