-- class: result · expect: done error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for i = 0, 255 do log.debug(string.char(i):rep(100)) end
  end,
}
