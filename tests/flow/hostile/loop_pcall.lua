-- class: loop · expect: cpu
-- The raise of the time limit is swallowed, each time.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do
      pcall(function() while true do end end)
    end
  end,
}
