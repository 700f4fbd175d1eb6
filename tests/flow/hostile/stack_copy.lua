-- class: stack · expect: done error
-- Deeper than any C stack, when each level is a call.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for _ = 1, 1e5 do t = { a = t } end
    local _ = copy(t)
  end,
}
