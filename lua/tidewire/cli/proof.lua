--- Proves a profile: what its scheme signs it takes, and nothing else. For `tidewire samples --prove` and for tests of rules.
-- @module tidewire.cli.proof
local native = require "tidewire.native"
local samples = require "tidewire.samples"
local signed = require "tidewire.cli.signed"

local M = {}

-- schemes that sign nothing of the body
local unsigned = { token = true, basic = true, bearer = true, none = true }

local function verdict(route, request, change)
  local asked = { path = route.path, query = request.query, headers = request.headers }
  for name, value in pairs(change or {}) do
    asked[name] = value
  end
  return native.verify(route.index, route.methods[1], asked.body or request.body, asked)
end

--- The same text with one byte of its middle changed, still a letter or digit where it was one.
local function altered(text)
  local at = text:find("%w", math.floor(#text / 2)) or 1
  return text:sub(1, at - 1) .. (text:sub(at, at) == "1" and "2" or "1") .. text:sub(at + 1)
end

local function without(headers, i)
  local rest = { unpack(headers) }
  table.remove(rest, i)
  return rest
end

local function with_value(headers, i, value)
  local changed = { unpack(headers) }
  changed[i] = { headers[i][1], value }
  return changed
end

--- What has to be refused: each header that the signature made gone, empty, changed; the body changed.
local function refusals(route, request, made)
  local list = {}
  for i = 1, made do
    local name, value = request.headers[i][1], request.headers[i][2]
    list["without " .. name] = { headers = without(request.headers, i) }
    list["with an empty " .. name] = { headers = with_value(request.headers, i, "") }
    list["with another " .. name] = { headers = with_value(request.headers, i, altered(value)) }
    list["with something behind " .. name] = { headers = with_value(request.headers, i, value .. "00") }
  end
  if not unsigned[route.verify.scheme] and not route.verify.signature_field then
    list["with another body"] = { body = altered(request.body) }
  end
  return list
end

--- @tparam table route  of native.check
-- @tparam string name  of a sample
-- @tparam table options  { folder, private_key }
-- @treturn {string,...}  what is wrong; empty: proved
function M.of(route, name, options)
  local sample = samples.of(route.provider, options.folder)[name]
  local request = samples.fresh(samples.profile(route.provider, options.folder), name, sample)
  local before, faults = #request.headers, {}
  local ok, why = signed.sign(route, request, { path = route.path, private_key = options.private_key })
  if not ok then
    return { why }
  end
  local now = verdict(route, request)
  if now ~= "valid" then
    return { ("signed it is %s"):format(now) }
  end
  for what, change in pairs(refusals(route, request, #request.headers - before)) do
    if verdict(route, request, change) == "valid" then
      faults[#faults + 1] = what .. " it is still valid"
    end
  end
  table.sort(faults)
  return faults
end

return M
