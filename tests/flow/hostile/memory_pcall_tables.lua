-- class: memory · expect: memory cpu done · events: 6
-- Refused in compiled code, caught, refused again at once: what was kept stays.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    for _ = 1, 3000 do
      pcall(function()
        while true do kept[#kept + 1] = {} end
      end)
    end
  end,
}
