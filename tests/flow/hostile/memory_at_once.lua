-- class: memory · expect: memory done
-- One key, far out.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for i = 1, 1e3 do t[2 ^ 26 + i] = i end
    local u = {}
    for i = 2 ^ 25, 1, -1 do u[i] = i end
  end,
}
