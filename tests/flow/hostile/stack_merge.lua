-- class: stack · expect: error done
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local t = {}
    for _ = 1, 1e5 do t = { a = t } end
    local _ = merge(event.body, t)
  end,
}
