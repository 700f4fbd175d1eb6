-- class: result · expect: done
-- What a handler returns means nothing.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local t = setmetatable({}, { __tostring = error, __index = error })
    t.t = t
    return t, 0 / 0, print, ("x"):rep(1e6), event
  end,
}
