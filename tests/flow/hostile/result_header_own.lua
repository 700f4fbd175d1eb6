-- class: result · expect: error done
-- Headers that say how the message is framed.
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, {
      text = "xxx",
      headers = { ["Content-Length"] = "1", ["Transfer-Encoding"] = "chunked", Host = "example.com" },
    })
  end,
}
