-- class: state · expect: error · says: at most 1000 things
local again = task "again" { handle = function() end }
local pile = batch "pile" { every = "1h", flush = function() end }
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    for i = 1, 1e9 do
      again:run_in("1h", i, { id = tostring(i) })
      again:cancel(tostring(i))
      pile:add(i)
    end
  end,
}
