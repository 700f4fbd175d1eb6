-- class: error · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    error(event)
  end,
}
