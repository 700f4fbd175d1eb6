-- class: result · expect: error · says: 1000
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for i = 1, 10000 do send(targets.catcher, { text = "number " .. i }) end
  end,
}
