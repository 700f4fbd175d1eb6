-- class: stack · expect: stack
-- Frames as large as they get.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down(...) return 1 + down(..., ...) end
    return down(1, 2, 3, 4, 5, 6, 7, 8)
  end,
}
