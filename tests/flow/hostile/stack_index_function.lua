-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t
    t = setmetatable({}, { __index = function(_, key) return t[key .. "x"] end })
    return t.x
  end,
}
