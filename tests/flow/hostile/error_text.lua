-- class: error · expect: error · says: boom
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    error "boom"
  end,
}
