-- class: question · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  dedupe = function() return ("a"):rep(30000):match((".-"):rep(16) .. "b") end,
  handle = function() end,
}
