-- class: cfunction · expect: done
-- Quadratic in LuaJIT's own search, inside memcmp of the C library, where no jump is allowed: ours is linear.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local s = ("a"):rep(1.2e7)
    return s:find(("a"):rep(6e6) .. "b", 1, true)
  end,
}
