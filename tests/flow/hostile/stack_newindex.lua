-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t
    t = setmetatable({}, { __newindex = function(_, key, value) t[key .. "x"] = value end })
    t.a = 1
  end,
}
