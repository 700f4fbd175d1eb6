-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = setmetatable({}, { __concat = function() while true do end end })
    return t .. "x"
  end,
}
