-- class: error · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    error(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
