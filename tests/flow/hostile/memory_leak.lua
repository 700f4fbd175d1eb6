-- class: memory · expect: done memory cpu · events: 30
-- A table of the file that each event makes larger: no event is over its own limit, all together are over the state's.
local kept = {}

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    kept[#kept + 1] = ("x"):rep(1e7) .. event.id
  end,
}
