-- class: cfunction · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = table.concat({}, "", 1, 2 ^ 31)
  end,
}
