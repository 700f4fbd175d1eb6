-- class: result · expect: error done
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    send(targets.catcher, { text = "x", path = ("a b/"):rep(1e5), query = { q = ("ü"):rep(1e5) } })
  end,
}
