-- class: result · expect: error · says: json
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { json = { 1, nil, 3, [1e9] = 4 } })
  end,
}
