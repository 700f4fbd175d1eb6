-- class: memory · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local s = "x"
    while true do s = s .. s end
  end,
}
