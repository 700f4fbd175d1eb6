-- class: stack · expect: stack
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down() return 1 + down() end
    return down()
  end,
}
