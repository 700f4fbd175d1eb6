-- class: stack · expect: stack error cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down() return 1 + select(2, pcall(down)) end
    return down()
  end,
}
