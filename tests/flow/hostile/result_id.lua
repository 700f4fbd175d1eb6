-- class: result · expect: error · says: id
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", id = "a\r\nb" })
  end,
}
