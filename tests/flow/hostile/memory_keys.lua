-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for i = 1, 1e8 do t["k" .. i] = true end
  end,
}
