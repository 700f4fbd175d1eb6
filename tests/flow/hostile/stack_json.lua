-- class: stack · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for _ = 1, 1e5 do t = { a = t } end
    local _ = json.encode(t)
  end,
}
