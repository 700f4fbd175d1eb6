-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1000 do list[i] = i % 7 end
    while true do
      pcall(table.sort, list, function(a, b) return pcall(error, "x") or a > b end)
    end
  end,
}
