-- class: memory · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e6 do list[i] = "0123456789" end
    local kept = {}
    for i = 1, 100 do kept[i] = table.concat(list, tostring(i)) end
  end,
}
