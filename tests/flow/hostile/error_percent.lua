-- class: error · expect: error · says: %s%n
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    error "%s%n%d%99999999d"
  end,
}
