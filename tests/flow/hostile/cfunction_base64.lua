-- class: cfunction · expect: cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("x"):rep(5e6)
    while true do local _ = base64.decode(base64.encode(long)) .. hex.encode(long) end
  end,
}
