-- class: error · expect: error · says: never · where: no
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    fail "never"
  end,
}
