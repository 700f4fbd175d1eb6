-- class: cfunction · expect: cpu
-- Each look walks from the start: quadratic.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local parts = {}
    for i = 1, 20000 do parts[i] = ('"k%d":%d'):format(i, i) end
    local all = json.decode("{" .. table.concat(parts, ",") .. "}")
    while true do
      for i = 20000, 1, -1 do local _ = all["k" .. i] end
    end
  end,
}
