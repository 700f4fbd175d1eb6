-- class: result · expect: error · says: json
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = {}
    for _ = 1, 1000 do t = { t } end
    send(targets.catcher, { json = t })
  end,
}
