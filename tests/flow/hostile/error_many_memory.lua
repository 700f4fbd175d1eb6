-- class: error · expect: memory error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for _ = 1, 200 do pcall(function() return ("x"):rep(2 ^ 30) end) end
    return ("x"):rep(2 ^ 30)
  end,
}
