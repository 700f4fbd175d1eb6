-- class: cfunction · expect: error memory cpu done
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("x"):rep(1e7)
    for _ = 1, 100 do local _ = ("%s%s%q"):format(long, long, long) end
  end,
}
