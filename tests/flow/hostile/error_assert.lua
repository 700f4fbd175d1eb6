-- class: error · expect: error · says: because
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    assert(false, "because")
  end,
}
