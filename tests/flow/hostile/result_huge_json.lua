-- class: result · expect: error memory cpu
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e6 do list[i] = "a string of this length, about" end
    send(targets.catcher, { json = list })
  end,
}
