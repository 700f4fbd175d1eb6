-- class: cfunction · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return ("a"):rep(30000):find((".-"):rep(16) .. "b")
  end,
}
