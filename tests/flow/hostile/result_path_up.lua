-- class: result · expect: error · says: refused
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", path = "a/%2e%2E/b" })
  end,
}
