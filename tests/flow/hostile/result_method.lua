-- class: result · expect: error · says: method
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", method = "GET / HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET" })
  end,
}
