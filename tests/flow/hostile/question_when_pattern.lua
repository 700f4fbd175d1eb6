-- class: question · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  when = function() return ("a"):rep(30000):find((".-"):rep(16) .. "b") end,
  handle = function() end,
}
