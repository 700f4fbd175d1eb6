-- class: loop · expect: cpu
-- Collects all the time: the signal often meets the allocator, out of which nobody may jump.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do
      local _ = { {}, { 1, 2, 3 }, "x" .. math.random() }
    end
  end,
}
