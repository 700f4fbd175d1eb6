-- class: cfunction · expect: cpu done
-- Nothing, two thousand million times.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return ("").rep("", 2 ^ 31 - 1)
  end,
}
