-- class: error · expect: error · says: not enough memory
-- A rule may say these words, too.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    error "not enough memory for this order"
  end,
}
