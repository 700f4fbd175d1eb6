-- class: stack · expect: error stack memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return string.char(unpack({}, 1, 1e6))
  end,
}
