-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t
    t = setmetatable({}, { __tostring = function() print(t) return "x" end })
    print(t)
  end,
}
