-- class: lookup · expect: error · says: a line end or another control byte in it
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    http.get "http://127.0.0.1:1/ HTTP/1.1\r\nX-Evil: 1\r\n\r\n"
  end,
}
