-- class: result · expect: error · says: X-A
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", headers = { ["X-A"] = "a\r\nX-Injected: 1" } })
  end,
}
