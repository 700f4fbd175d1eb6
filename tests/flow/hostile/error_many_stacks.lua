-- class: error · expect: stack error cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down() return 1 + down() end
    for _ = 1, 20 do pcall(down) end
    return down()
  end,
}
