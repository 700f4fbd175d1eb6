-- class: result · expect: error memory cpu
-- Six bytes for each one.
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { json = ("\1"):rep(2e7) })
  end,
}
