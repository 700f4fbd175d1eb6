-- class: result · expect: error · says: headers
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local headers = {}
    for i = 1, 1e5 do headers["X-" .. i] = "x" end
    send(targets.catcher, { text = "x", headers = headers })
  end,
}
