-- class: stack · expect: stack error cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down() return xpcall(down, down) end
    local _, why = down()
    error(why)
  end,
}
