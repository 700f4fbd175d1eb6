-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    table.sort({ 3, 2, 1 }, function() while true do end end)
  end,
}
