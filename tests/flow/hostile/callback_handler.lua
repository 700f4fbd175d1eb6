-- class: callback · expect: cpu
-- The handler of an error runs on top of the error.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    xpcall(error, function() while true do pcall(error, "x") end end)
  end,
}
