-- class: error · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("x"):gsub("x", function() drop "no" end)
  end,
}
