-- class: cfunction · expect: done cpu
-- Text with ten million digits.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for base = 2, 36 do tonumber(("1"):rep(1e7), base) end
  end,
}
