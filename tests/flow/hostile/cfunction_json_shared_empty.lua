-- class: cfunction · expect: error cpu memory
-- The same with nothing at the end.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = json.array {}
    for _ = 1, 40 do t = json.array { t, t, t } end
    return json.encode(t)
  end,
}
