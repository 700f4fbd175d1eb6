-- class: stack · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = assert(json.decode(("["):rep(1e6) .. ("]"):rep(1e6)))
  end,
}
