-- class: result · expect: error · says: 1000
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local list = {}
    for i = 1, 1e5 do list[i] = targets.catcher end
    send(list, { text = "x" })
  end,
}
