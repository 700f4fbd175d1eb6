-- class: stack · expect: error stack · says: too deep
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function down(s) return (s:gsub(".", down)) end
    return down "x"
  end,
}
