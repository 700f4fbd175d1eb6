-- class: question · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  dedupe = function() return ("x"):rep(2 ^ 27) end,
  handle = function() end,
}
