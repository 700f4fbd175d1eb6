--- Exact integers: JSON integers of 15 digits to 64 bits are LuaJIT's own 64-bit integers, with the behaviour of rules.md 10.
-- Called once per state with the C functions of core/json, before anything is compiled: the compiler takes the metatable of
-- cdata for constant.
local c = ...
local M = {}

local LIMIT = 2 ^ 53
local SIGNED_END, UNSIGNED_END = 2 ^ 63, 2 ^ 64
local SPLIT = 1000000000

local signed, unsigned = c.ffi.typeof "int64_t", c.ffi.typeof "uint64_t"
local istype = c.ffi.istype
local meta = c.metatable_of(1LL)
local add, mul, equal, less = meta.__add, meta.__mul, meta.__eq, meta.__lt
local floor, ceil = math.floor, math.ceil
local interned = setmetatable({}, { __mode = "v" })

M.original_tostring = meta.__tostring

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

local function is_integer(v)
  return type(v) == "cdata" and (istype(signed, v) or istype(unsigned, v))
end

-- ---- comparing: by value, whatever the signs and fractions ----

-- A number without fraction as an integer; nil and its sign when it is beyond 64 bits (or no number: 0).
local function to_integer(n)
  if n >= UNSIGNED_END then return nil, 1 end
  if n < -SIGNED_END then return nil, -1 end
  if n ~= n then return nil, 0 end
  return n >= SIGNED_END and unsigned(n) or signed(n)
end

local function below_zero(v)
  return istype(signed, v) and less(v, 0LL)
end

local function integer_less(a, b)
  local negative = below_zero(a)
  if negative ~= below_zero(b) then return negative end
  return less(a, b)
end

local function integer_equal(a, b)
  return below_zero(a) == below_zero(b) and equal(a, b)
end

local function comparable(v)
  if is_integer(v) then return true end
  if type(v) == "number" then return false end
  error("attempt to compare number with " .. type(v), 3)
end

-- a < b where one is an integer; a number is first rounded to the side that keeps the answer.
local function less_than(a, b)
  if not comparable(a) then
    local whole, beyond = to_integer(floor(a))
    if not whole then return beyond < 0 end
    return integer_less(whole, b)
  elseif not comparable(b) then
    local whole, beyond = to_integer(ceil(b))
    if not whole then return beyond > 0 end
    return integer_less(a, whole)
  end
  return integer_less(a, b)
end

local function is_nan(v)
  return type(v) == "number" and v ~= v
end

function meta.__lt(a, b)
  return less_than(a, b)
end

function meta.__le(a, b)
  if is_nan(a) or is_nan(b) then return false end
  return not less_than(b, a)
end

function meta.__eq(a, b)
  if not is_integer(a) then a, b = b, a end
  if is_integer(b) then return integer_equal(a, b) end
  if type(b) ~= "number" or b ~= floor(b) then return false end
  local whole = to_integer(b)
  return whole ~= nil and integer_equal(a, whole)
end

-- ---- text ----

local function text(v)
  if type(v) == "cdata" then return c.digits(v) or M.original_tostring(v) end
  return v
end

meta.__tostring = text

function meta.__concat(a, b)
  local left, right = text(a), text(b)
  if type(left) ~= "string" and type(left) ~= "number" or type(right) ~= "string" and type(right) ~= "number" then
    local other = type(a) == "cdata" and b or a
    local own = getmetatable(other)
    error("attempt to join a number to " .. (own == false and "an object, array, null or secret" or "a " .. type(other)), 2)
  end
  return left .. right
end

-- ---- arithmetic: as numbers, where that is exact ----

local operations = {
  __add = function(a, b) return a + b end,
  __sub = function(a, b) return a - b end,
  __mul = function(a, b) return a * b end,
  __div = function(a, b) return a / b end,
  __mod = function(a, b) return a % b end,
  __pow = function(a, b) return a ^ b end,
}

local function operand(v)
  local number = (type(v) == "number" or type(v) == "cdata" or type(v) == "string") and tonumber(v)
  if not number then error("attempt to perform arithmetic on a " .. type(v) .. " value", 3) end
  if number >= LIMIT or number <= -LIMIT then
    error("this integer is beyond 2^53 and arithmetic would round it; tonumber(x) rounds on purpose", 3)
  end
  return number
end

for name, operation in pairs(operations) do
  meta[name] = function(a, b)
    local x, y = operand(a), operand(b)
    return operation(x, y)
  end
end

function meta.__unm(a)
  return -operand(a)
end

return M
