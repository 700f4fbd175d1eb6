-- class: result · expect: error · says: NaN
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { json = { list = { 1, 0 / 0 } } })
  end,
}
