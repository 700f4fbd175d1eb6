-- class: stack · expect: error
-- Tables all the way: a loop of LuaJIT's own.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local meta = {}
    meta.__index = setmetatable({}, meta)
    return setmetatable({}, meta).x
  end,
}
