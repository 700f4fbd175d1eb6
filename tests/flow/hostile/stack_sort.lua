-- class: stack · expect: error stack · says: too deep
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down()
      table.sort({ 2, 1 }, down)
      return true
    end
    down()
  end,
}
