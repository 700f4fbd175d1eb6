-- class: stack · expect: stack
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local even, odd
    function even(n) return not odd(n + 1) end
    function odd(n) return not even(n + 1) end
    return even(0)
  end,
}
