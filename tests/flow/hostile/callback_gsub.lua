-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("xxx"):gsub("x", function() while true do end end)
  end,
}
