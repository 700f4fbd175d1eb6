-- class: cfunction · expect: error cpu
-- No order at all: C has to find out, and not read past the end.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e4 do list[i] = i end
    for _ = 1, 1000 do table.sort(list, function() return true end) end
  end,
}
