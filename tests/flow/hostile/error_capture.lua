-- class: error · expect: error
-- Raised by C that has a callback.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("x"):gsub("x", function() return {} end)
  end,
}
