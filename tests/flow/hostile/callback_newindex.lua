-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = setmetatable({}, { __newindex = function() while true do end end })
    t.x = 1
  end,
}
