-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local kept = {}
    while true do
      pcall(function() kept[#kept + 1] = ("x"):rep(1e6) .. #kept end)
    end
  end,
}
