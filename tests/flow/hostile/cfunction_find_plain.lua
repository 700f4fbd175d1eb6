-- class: cfunction · expect: cpu
-- Quadratic without a pattern: the time goes by inside memcmp of the C library, where no jump is allowed.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local s = ("a"):rep(1.2e7)
    return s:find(("a"):rep(6e6) .. "b", 1, true)
  end,
}
