-- class: result · expect: error · says: target
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send("catcher", { text = "x" })
  end,
}
