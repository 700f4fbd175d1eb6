-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = setmetatable({}, { __add = function(a, b) return 1 + (a + b) end })
    return t + t
  end,
}
