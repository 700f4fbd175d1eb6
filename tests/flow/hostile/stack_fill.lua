-- class: stack · expect: error done cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for _ = 1, 1e5 do t = { a = t } end
    local _ = text.fill("{a} {a.a.a}", t)
  end,
}
