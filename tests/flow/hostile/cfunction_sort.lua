-- class: cfunction · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 4e5 do list[i] = (i * 7919) % 400009 end
    for _ = 1, 1000 do table.sort(list, function(a, b) return a > b end) end
  end,
}
