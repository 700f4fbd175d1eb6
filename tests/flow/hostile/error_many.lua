-- class: error · expect: error · says: the last one
-- Half a million of them, all but the last one caught.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for _ = 1, 2e4 do pcall(error, "x") end
    error "the last one"
  end,
}
