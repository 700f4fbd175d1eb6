-- class: error · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("%d"):format "x"
  end,
}
