-- class: loop · expect: cpu
-- Compiled to a jump to itself: no hook is ever looked at.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do end
  end,
}
