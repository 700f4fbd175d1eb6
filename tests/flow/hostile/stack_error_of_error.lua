-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down() error(down()) end
    down()
  end,
}
