-- class: result · expect: error memory · says: MiB
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = ("x"):rep(4e7) })
  end,
}
