-- class: question · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  dedupe = function() while true do end end,
  handle = function() end,
}
