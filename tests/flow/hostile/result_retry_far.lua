-- class: result · expect: error · says: retry
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    retry("later", { after = "99999999999999999999d" })
  end,
}
