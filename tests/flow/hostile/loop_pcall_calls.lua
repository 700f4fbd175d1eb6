-- class: loop · expect: cpu
-- An error thrown holds a lock of the unwinder that all workers share: a jump out of there would hang them.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function fail() local nothing; return nothing.x end
    while true do
      for _ = 1, 100 do pcall(pcall, fail) end
    end
  end,
}
