-- class: result · expect: error done
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", headers = { ["X-A"] = ("a"):rep(1e6) } })
  end,
}
