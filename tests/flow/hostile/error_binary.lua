-- class: error · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    error "\0\255\254\r\n\27[31m"
  end,
}
