-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down(v) return filter({ v }, down) end
    return down(1)
  end,
}
