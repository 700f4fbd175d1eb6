-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    xpcall(function() while true do end end, function() while true do end end)
  end,
}
