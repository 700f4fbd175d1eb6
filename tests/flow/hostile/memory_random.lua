-- class: memory · expect: memory error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    for i = 1, 1e6 do kept[i] = crypto.random(1e6) end
  end,
}
