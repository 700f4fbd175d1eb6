-- class: result · expect: error · says: reason
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    drop {}
  end,
}
