-- class: cfunction · expect: error cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local t = { x = 1 }
    for _ = 1, 30 do t = { a = t, b = t } end
    return merge(event.body, t)
  end,
}
