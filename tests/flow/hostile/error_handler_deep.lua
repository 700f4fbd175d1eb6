-- class: error · expect: error · says: after
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function handler() return xpcall(error, handler) end
    xpcall(error, handler)
    error "after"
  end,
}
