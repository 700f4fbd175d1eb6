-- class: result · expect: error · says: content_type
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { body = "x", content_type = "a/b\r\nX-Injected: 1" })
  end,
}
