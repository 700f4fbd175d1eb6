--- Exact integers: JSON integers of 15 digits to 64 bits are LuaJIT's own 64-bit integers, which only Lua can make. What they
-- answer to operators is in core/json/integer.c. Called once per state with the C functions of core/json.
local c = ...
local M = { metatable = c.metatable_of(1LL) }

local SPLIT = 1000000000

local signed, unsigned = c.ffi.typeof "int64_t", c.ffi.typeof "uint64_t"
local add, mul = M.metatable.__add, M.metatable.__mul -- of LuaJIT: modulo 2^64
local interned = setmetatable({}, { __mode = "v" })

--- An exact integer, the same object for the same digits, so that it works as a table key.
-- @tparam string digits
-- @tparam number high  the integer divided by SPLIT, towards zero
-- @tparam number low   the rest, of the same sign
-- @tparam boolean large  above the largest signed one
function M.make(digits, high, low, large)
  local value = interned[digits]
  if not value then
    value = add(mul((large and unsigned or signed)(high), SPLIT), low)
    interned[digits] = value
  end
  return value
end

return M
