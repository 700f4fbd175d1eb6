-- class: lookup · expect: error · says: the url has a name or password in it
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    http.get "http://user:password@127.0.0.1:1/"
  end,
}
