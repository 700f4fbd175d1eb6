-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    for i = 1, 1e8 do kept[i] = function() return i end end
  end,
}
