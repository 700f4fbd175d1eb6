-- class: cfunction · expect: cpu error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do
      local _ = time.iso(time.parse "2026-11-20T09:14:02Z") .. time.format(time.now(), ("%F %T "):rep(1000))
    end
  end,
}
