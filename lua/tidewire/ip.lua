--- ip.*: addresses and their ranges.
-- @module tidewire.ip
local paths = require "tidewire.paths"
local views = require "tidewire.views"

local M = {}

local type_of = views.words.type

--- Is the address in the range, or in one of a list of ranges? nil and what is no address are in none.
-- @tparam string|nil address  "192.0.2.7", "2001:db8::1"
-- @tparam string|{string,...} ranges  "10.0.0.0/8", "2001:db8::/32", or one address
-- @treturn boolean
function M.in_range(address, ranges)
  if address ~= nil and type(address) ~= "string" then
    error("ip.in_range wants an address as text, got a " .. type_of(address), 2)
  end
  if type(ranges) == "string" then
    ranges = { ranges }
  elseif type(ranges) ~= "table" then
    error("ip.in_range wants a range such as \"10.0.0.0/8\", or a list of them, got a " .. type_of(ranges), 2)
  end
  local found = false
  for _, range in ipairs(ranges) do
    local inside = type(range) == "string" and paths.ip_in_range(address or "", range)
    if type(inside) ~= "boolean" or type(range) ~= "string" then
      error(("ip.in_range: %s is not an address or a range of addresses"):format(type(range) == "string" and "'" .. range .. "'"
        or "a " .. type_of(range)), 2)
    end
    found = found or inside
  end
  return found
end

return M
