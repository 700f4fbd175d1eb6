-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do pcall(error, "x") end
  end,
}
