-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    local list = json.decode("[" .. ("[1],"):rep(1e4) .. "[]]")
    for i = 1, 1e6 do kept[i] = copy(list) end
  end,
}
