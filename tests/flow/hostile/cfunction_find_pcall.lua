-- class: cfunction · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do pcall(string.find, ("a"):rep(30000), (".-"):rep(16) .. "b") end
  end,
}
