-- class: memory · expect: memory cpu done · events: 6
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    for _ = 1, 3000 do
      pcall(function()
        while true do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
      end)
    end
  end,
}
