-- class: lookup · expect: error · says: the url begins with http:// or https://
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    http.get "file:///etc/passwd"
  end,
}
