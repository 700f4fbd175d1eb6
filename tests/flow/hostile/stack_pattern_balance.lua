-- class: stack · expect: error done cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("("):rep(1e6):gsub("%b()", "")
  end,
}
