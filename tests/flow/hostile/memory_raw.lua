-- class: memory · expect: memory cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    local s = event.raw
    while true do s = s .. base64.encode(s) .. hex.encode(s) end
  end,
}
