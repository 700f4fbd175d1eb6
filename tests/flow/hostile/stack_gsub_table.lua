-- class: stack · expect: error stack · says: too deep
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t
    t = setmetatable({}, { __index = function(_, key) return (key:gsub(".", t)) end })
    return t.x
  end,
}
