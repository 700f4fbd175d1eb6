-- class: state · expect: error · says: callback of string.gsub or table.sort
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    table.sort({ 3, 1, 2 }, function(a, b) return (kv.get("k" .. a) or a) < b end)
  end,
}
