-- class: callback · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local meta = { __lt = function() while true do end end }
    table.sort { setmetatable({}, meta), setmetatable({}, meta) }
  end,
}
