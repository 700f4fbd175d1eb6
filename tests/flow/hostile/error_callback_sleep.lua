-- class: error · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    table.sort({ 2, 1 }, function() sleep "1s" end)
  end,
}
