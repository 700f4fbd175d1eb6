-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for _ = 1, 1e300 do end
  end,
}
