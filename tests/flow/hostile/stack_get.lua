-- class: stack · expect: error done memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for _ = 1, 1e5 do t = { a = t } end
    local _ = get(t, ("a."):rep(1e5) .. "a")
  end,
}
