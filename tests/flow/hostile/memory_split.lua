-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return text.split(("a,"):rep(1e7), ",")
  end,
}
