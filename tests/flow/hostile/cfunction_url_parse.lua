-- class: cfunction · expect: cpu done
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for n = 1, 1e5 do local _ = url.parse("http://" .. ("a@b:c/"):rep(n)) end
  end,
}
