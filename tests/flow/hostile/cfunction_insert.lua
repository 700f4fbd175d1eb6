-- class: cfunction · expect: cpu error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    table.insert({}, -2 ^ 31, 1)
  end,
}
