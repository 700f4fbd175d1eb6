-- class: stack · expect: error cpu
-- Captures and repetitions inside the matcher's own recursion.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local _ = ("x"):rep(1e6):match(("(.-)"):rep(31) .. ("x?"):rep(3e5) .. "$")
  end,
}
