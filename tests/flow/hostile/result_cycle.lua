-- class: result · expect: error · says: json
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    t.t = t
    send(targets.catcher, { json = t })
  end,
}
