-- class: cfunction · expect: error stack
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = unpack({}, 1, 1e7)
  end,
}
