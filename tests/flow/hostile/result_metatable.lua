-- class: result · expect: error done
-- What a metatable answers is not what is there.
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { json = setmetatable({}, { __index = function() while true do end end }) })
  end,
}
