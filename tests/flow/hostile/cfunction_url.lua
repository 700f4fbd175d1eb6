-- class: cfunction · expect: cpu memory error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("%/?&=ü"):rep(1e5)
    while true do local _ = url.escape(long) .. url.query { a = long } end
  end,
}
