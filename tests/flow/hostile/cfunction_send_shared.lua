-- class: cfunction · expect: error cpu memory
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t = { 1 }
    for _ = 1, 30 do t = { a = t, b = t } end
    send(targets.catcher, { json = t })
  end,
}
