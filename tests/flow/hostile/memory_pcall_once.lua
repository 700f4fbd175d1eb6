-- class: memory · expect: done memory
-- What it caught once, it may go on from.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local ok = pcall(function()
      local s = "x"
      while true do s = s .. s end
    end)
    assert(not ok)
  end,
}
