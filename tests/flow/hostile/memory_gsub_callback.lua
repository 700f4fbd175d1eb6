-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return (("x"):rep(1e6):gsub("x", function() return ("y"):rep(1000) end))
  end,
}
