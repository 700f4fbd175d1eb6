-- class: lookup · expect: error · says: a private address
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    http.get "http://[::ffff:127.0.0.1]:1/"
  end,
}
