-- class: loop · expect: cpu
-- A line of the log each time round, at a level that is not shown.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do log.debug("still here", { n = 1 }) end
  end,
}
