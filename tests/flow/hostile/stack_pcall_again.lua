-- class: stack · expect: stack error cpu
-- Twice at each depth: without an end, though the stack has one.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down()
      pcall(down)
      down()
    end
    down()
  end,
}
