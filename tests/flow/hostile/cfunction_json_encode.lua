-- class: cfunction · expect: cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e5 do list[i] = { name = "n" .. i, value = i / 3 } end
    while true do local _ = json.encode(list) end
  end,
}
