-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function next_of(n) return n + 1 end
    local n = 0
    while true do n = next_of(n) end
  end,
}
