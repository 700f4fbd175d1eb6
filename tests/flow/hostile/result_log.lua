-- class: result · expect: error · says: log
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    log.info("x", { s = ("x"):rep(1e6) })
  end,
}
