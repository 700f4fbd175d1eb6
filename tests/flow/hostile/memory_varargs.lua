-- class: memory · expect: memory cpu
-- Frames that carry more and more arguments.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function fill(n, ...)
      if n == 0 then return { ... } end
      return fill(n - 1, n, ...)
    end
    local kept = {}
    for i = 1, 1e6 do kept[i] = fill(200) end
  end,
}
