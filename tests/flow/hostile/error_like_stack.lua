-- class: error · expect: error · says: stack overflow
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    error "stack overflow.example.com did not answer"
  end,
}
