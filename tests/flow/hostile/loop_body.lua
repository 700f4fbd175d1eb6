-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    while true do
      for _, value in pairs(event.body) do local _ = value end
    end
  end,
}
