-- class: cfunction · expect: cpu
-- No comparison of the rule's: all of it is C.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e6 do list[i] = (i * 7919) % 1000003 end
    while true do table.sort(list) list[1], list[#list] = list[#list], list[1] end
  end,
}
