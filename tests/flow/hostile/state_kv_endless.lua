-- class: state · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do pcall(kv.incr, "n") pcall(kv.get, "none") end
  end,
}
