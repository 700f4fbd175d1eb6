-- class: cfunction · expect: cpu memory error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local all = json.decode("[" .. ("[1,2,3],"):rep(2e5) .. "[]]")
    while true do
      for i = 1, #all do local _ = all[#all - i] end
    end
  end,
}
