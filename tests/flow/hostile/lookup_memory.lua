-- class: lookup · expect: memory cpu
-- A list that would be the body of a hundred requests.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local body, list = ("x"):rep(8e6), {}
    for i = 1, 100 do
      list[i] = { url = "http://127.0.0.1:1/", method = "POST", body = body .. i, private = true }
    end
    http.all(list)
  end,
}
