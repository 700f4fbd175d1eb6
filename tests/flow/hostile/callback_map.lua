-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    map({ 1, 2 }, function() while true do end end)
  end,
}
