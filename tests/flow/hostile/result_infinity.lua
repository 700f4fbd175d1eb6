-- class: result · expect: error · says: infinite
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { json = { n = -math.huge } })
  end,
}
