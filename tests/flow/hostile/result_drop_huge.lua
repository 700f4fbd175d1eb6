-- class: result · expect: dropped
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    drop(("x"):rep(1e7))
  end,
}
