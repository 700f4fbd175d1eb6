-- class: stack · expect: stack error
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local t
    t = setmetatable({}, { __call = function(self, ...) return 1 + self(1, ...) end })
    return t()
  end,
}
