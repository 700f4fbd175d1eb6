-- class: cfunction · expect: cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do local _ = text.split(("a,"):rep(1e5), ",") end
  end,
}
