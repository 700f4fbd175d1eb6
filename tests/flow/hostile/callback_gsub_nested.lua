-- class: callback · expect: cpu
-- Sixty callbacks deep in C when the time is up.
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local function dive(n)
      if n == 0 then
        while true do end
      end
      return (("x"):gsub("x", function() dive(n - 1) end))
    end
    dive(60)
  end,
}
