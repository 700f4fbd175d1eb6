-- class: error · expect: error · says: boom · where: no
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local ok, why = pcall(function()
      local inner, reason = pcall(error, "boom", 0)
      assert(not inner)
      error(reason, 0)
    end)
    assert(not ok)
    error(why, 0)
  end,
}
