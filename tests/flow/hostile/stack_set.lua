-- class: stack · expect: error done memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = set({}, ("a."):rep(1e5) .. "a", 1)
  end,
}
