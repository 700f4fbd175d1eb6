-- class: cfunction · expect: cpu error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local path = "body" .. (".a"):rep(1e5)
    while true do event:get(path) end
  end,
}
