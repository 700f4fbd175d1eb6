-- class: memory · expect: memory cpu done · events: 4
-- Each refusal is swallowed, and the next try begins.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do
      pcall(function()
        local s = "x"
        while true do s = s .. s end
      end)
    end
  end,
}
