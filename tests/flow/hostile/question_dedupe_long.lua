-- class: question · expect: done error
-- A key of many bytes is a key; it is kept as a hash.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  dedupe = function(event) return ("k"):rep(1e6) .. event.id end,
  handle = function() end,
}
