-- class: question · expect: stack
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  when = function()
    local function down() return 1 + down() end
    return down()
  end,
  handle = function() end,
}
