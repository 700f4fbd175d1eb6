-- class: memory · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    for i = 1, 1000 do kept[i] = ("x"):rep(1e6 + i) end
  end,
}
