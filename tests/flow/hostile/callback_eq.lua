-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local meta = { __eq = function() while true do end end }
    return setmetatable({}, meta) == setmetatable({}, meta)
  end,
}
