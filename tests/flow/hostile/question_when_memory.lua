-- class: question · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  when = function()
    local s = "x"
    while true do s = s .. s end
  end,
  handle = function() end,
}
