-- class: error · expect: error · says: after
-- An error in the handler of an error.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local ok = xpcall(error, function() error "again" end, "first")
    assert(not ok)
    error "after"
  end,
}
