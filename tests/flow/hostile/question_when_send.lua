-- class: question · expect: error
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  when = function(event) send(targets.catcher, event) return true end,
  handle = function() end,
}
