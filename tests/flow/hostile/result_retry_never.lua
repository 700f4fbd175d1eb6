-- class: result · expect: error · says: retry
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    retry("later", { after = "-1s" })
  end,
}
