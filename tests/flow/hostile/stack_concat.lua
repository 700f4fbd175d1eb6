-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = setmetatable({}, { __concat = function(a, b) return a .. b end })
    return t .. t
  end,
}
