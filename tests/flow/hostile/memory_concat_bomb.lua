-- class: memory · expect: memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local s = ("x"):rep(1000)
    while true do s = table.concat { s, s, s, s } end
  end,
}
