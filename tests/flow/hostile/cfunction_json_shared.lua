-- class: cfunction · expect: error cpu memory
-- Thirty tables, a thousand million when they are written out.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = { 1 }
    for _ = 1, 30 do t = { t, t } end
    return json.encode(t)
  end,
}
