-- class: result · expect: error · says: sleep
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    sleep(1e300)
  end,
}
