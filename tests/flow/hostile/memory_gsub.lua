-- class: memory · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return (("x"):rep(1e6):gsub("x", ("y"):rep(1000)))
  end,
}
