-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    tostring(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
