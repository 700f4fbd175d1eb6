-- class: cfunction · expect: cpu memory error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local s = "[" .. ("[1,2,3],"):rep(2e5) .. "[]]"
    while true do local _ = json.decode(s) end
  end,
}
