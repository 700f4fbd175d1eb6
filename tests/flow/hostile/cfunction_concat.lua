-- class: cfunction · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e5 do list[i] = "x" end
    while true do local _ = table.concat(list, ",") end
  end,
}
