-- class: error · expect: error
-- The call that raises has taken the place of the handler's own frame.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    return ("%d"):format "x"
  end,
}
