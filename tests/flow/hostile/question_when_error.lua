-- class: question · expect: error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  when = function(event) return event.body.no.such.thing end,
  handle = function() end,
}
