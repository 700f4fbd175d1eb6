-- class: cfunction · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for _ in ("a"):rep(30000):gmatch((".-"):rep(16) .. "b") do end
  end,
}
