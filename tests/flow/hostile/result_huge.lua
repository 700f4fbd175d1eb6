-- class: result · expect: error · says: MiB
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local big = ("x"):rep(2 ^ 20)
    for _ = 1, 64 do send(targets.catcher, { text = big }) end
  end,
}
