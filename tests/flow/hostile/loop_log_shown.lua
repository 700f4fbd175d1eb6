-- class: loop · expect: cpu
-- Each line is shown: what waits to be written has to have a bound.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do log.warn(("still here "):rep(100)) end
  end,
}
