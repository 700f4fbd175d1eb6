-- class: cfunction · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do local _ = ("%99.99f %99.99e %99d %q"):format(1e300, 1e-300, 7, ("\0"):rep(1000)) end
  end,
}
