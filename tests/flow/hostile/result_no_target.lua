-- class: result · expect: error · says: target
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local name = "catcher" -- written out it would be found while loading
    send(name, { text = "x" })
  end,
}
