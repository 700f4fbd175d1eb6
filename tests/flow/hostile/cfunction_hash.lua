-- class: cfunction · expect: cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("x"):rep(2e7)
    while true do local _ = crypto.hash("sha512", long) end
  end,
}
