-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function nest(n)
      if n == 0 then
        while true do end
      end
      while true do pcall(nest, n - 1) end
    end
    nest(50)
  end,
}
