-- class: lookup · expect: cpu
-- What can never be asked does not even wait.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    while true do
      pcall(http.get, "http://[/")
    end
  end,
}
