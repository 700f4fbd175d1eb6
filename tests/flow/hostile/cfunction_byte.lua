-- class: cfunction · expect: error stack
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("x"):rep(1e7):byte(1, -1)
  end,
}
