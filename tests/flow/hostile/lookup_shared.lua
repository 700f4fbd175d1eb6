-- class: lookup · expect: error · says: at most 32 MiB are asked at once
-- One text as the body of a hundred requests.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local body, list = ("x"):rep(4e6), {}
    for i = 1, 100 do
      list[i] = { url = "http://127.0.0.1:1/", method = "POST", body = body, private = true }
    end
    http.all(list)
  end,
}
