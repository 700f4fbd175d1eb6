-- class: result · expect: error · says: wants
local targets = require "lib.targets"

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for _, message in ipairs { 1, true, "text", print } do
      local ok = pcall(send, targets.catcher, message)
      assert(not ok)
    end
    send(targets.catcher, 7)
  end,
}
