-- class: state · expect: error · says: at most 8 MiB
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("x"):rep(60000)
    for i = 1, 1e6 do kv.set("k" .. i % 100, long .. ("x"):rep(i % 5000)) end
  end,
}
