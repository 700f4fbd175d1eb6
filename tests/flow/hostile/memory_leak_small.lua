-- class: memory · expect: done memory · events: 60
local kept = {}

route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    for i = 1, 20000 do kept[#kept + 1] = { id = event.id, n = i } end
  end,
}
