-- class: result · expect: error done
-- Joined to the target's address it must not become another one.
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", path = "//example.com@example.org:1/\\..\\x" })
  end,
}
