-- class: cfunction · expect: cpu memory error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("{a} "):rep(1e5)
    while true do local _ = text.fill(long, { a = ("<&>"):rep(10) }, "html") end
  end,
}
