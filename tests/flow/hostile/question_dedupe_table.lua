-- class: question · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  dedupe = function() return {} end,
  handle = function() end,
}
