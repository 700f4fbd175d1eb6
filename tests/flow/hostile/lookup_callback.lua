-- class: lookup · expect: error · says: cannot stand inside a callback of string.gsub or table.sort
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function(event)
    table.sort({ 2, 1 }, function()
      http.get("http://127.0.0.1:1/", { private = true })
    end)
  end,
}
