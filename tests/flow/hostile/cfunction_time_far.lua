-- class: cfunction · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = time.iso(time.add(time.now(), "36500d") * 1e300)
  end,
}
