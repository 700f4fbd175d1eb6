-- class: cfunction · expect: error cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = { 1 }
    for _ = 1, 30 do t = { t, t } end
    return copy(t)
  end,
}
