-- class: result · expect: error · says: after all
-- What was noted before an error is never sent.
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "never" })
    error "after all"
  end,
}
