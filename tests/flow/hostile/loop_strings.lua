-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local s = "abc"
    while true do s = (s .. "x"):upper():lower():sub(1, 3) end
  end,
}
