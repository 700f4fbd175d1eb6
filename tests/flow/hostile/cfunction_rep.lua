-- class: cfunction · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return ("x"):rep(2 ^ 30)
  end,
}
