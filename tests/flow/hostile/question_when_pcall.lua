-- class: question · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  when = function()
    while true do pcall(function() while true do end end) end
  end,
  handle = function() end,
}
