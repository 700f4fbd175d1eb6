-- class: result · expect: dropped
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    drop "\0\255\r\n\27[31m"
  end,
}
