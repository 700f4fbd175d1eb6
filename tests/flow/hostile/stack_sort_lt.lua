-- class: stack · expect: error stack
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local meta = {}
    local function pair() return { setmetatable({}, meta), setmetatable({}, meta) } end
    meta.__lt = function()
      table.sort(pair())
      return true
    end
    table.sort(pair())
  end,
}
