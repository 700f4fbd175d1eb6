--- Durations, sizes and rates as rules write them.
-- @module tidewire.units
local M = {}

local milliseconds = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local TEXT_MAX = 40 -- bytes of a duration: the pattern takes quadratic time for a long row of digits
local LONGEST = 36500 * milliseconds.d -- so that every sum of times is a whole number of milliseconds
local bytes = { B = 1, KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30, KB = 1e3, MB = 1e6, GB = 1e9 }
local per_second = { s = 1, m = 60, h = 3600 }

--- "250ms", "10s", "5m", "2h", "3d", "1.5h".
-- @treturn number|nil  milliseconds, or nil and what to write
function M.duration(value)
  if type(value) == "number" then
    return nil, ("write \"%ss\" for seconds"):format(tostring(value))
  end
  if type(value) ~= "string" then
    return nil, "write a duration as text, for example \"10s\""
  end
  local number, unit = value:sub(1, TEXT_MAX):match "^(%d+%.?%d*)(%a+)$"
  if #value > TEXT_MAX or not number or not milliseconds[unit] then
    return nil, "write a number and ms, s, m, h or d, for example \"10s\""
  end
  local ms = tonumber(number) * milliseconds[unit]
  if ms > LONGEST then
    return nil, "at most \"36500d\""
  end
  return ms
end

--- "64KiB", "1MiB".
-- @treturn number|nil  bytes, or nil and what to write
function M.size(value)
  if type(value) == "number" then
    return nil, ("write \"%sB\" for bytes, or a size such as \"1MiB\""):format(tostring(value))
  end
  local number, unit
  if type(value) == "string" then
    number, unit = value:match "^(%d+%.?%d*)(%a+)$"
  end
  if not number or not bytes[unit] then
    return nil, "write a number and B, KiB, MiB or GiB, for example \"1MiB\""
  end
  return math.floor(tonumber(number) * bytes[unit])
end

--- "100/s", "20/m".
-- @treturn number|nil  per second, or nil and what to write
-- @treturn number  the burst
function M.rate(value)
  local number, unit
  if type(value) == "string" then
    number, unit = value:match "^(%d+%.?%d*)/(%a+)$"
  end
  if not number or not per_second[unit] or tonumber(number) <= 0 then
    return nil, "write a number and /s, /m or /h, for example \"10/s\""
  end
  return tonumber(number) / per_second[unit], math.max(1, tonumber(number))
end

return M
