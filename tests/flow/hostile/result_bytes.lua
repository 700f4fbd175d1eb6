-- class: result · expect: error · says: UTF-8
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { json = { s = "\255\254" } })
  end,
}
