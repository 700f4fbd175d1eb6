-- class: result · expect: dropped
-- The bound is caught each time, and what was noted before it is dropped.
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for i = 1, 10000 do pcall(send, targets.catcher, { text = "number " .. i }) end
    drop "all of them"
  end,
}
