--- Sample events that `tidewire send` and the tests of rules sign and send: lua/tidewire/samples/PROVIDER.lua, written by us in
-- the shape of the providers' documented payloads, or the `samples` of a user's own profile. A sample is a body, or
-- { body, content_type, headers = { Name = value } } (headers = false: all that is said stands in the body), under its event
-- type. In its texts stand what is fresh each time, so that none is taken for a repetition: %ID% a UUID, %HEX% its digits alone,
-- %SHA% 40 of these, %NUMBER%, %NOW% seconds since 1970, %NOW_MS%, %TIME% in RFC 3339.
-- @module tidewire.samples
local native = require "tidewire.native"
local time = require "tidewire.time"

local M = {}

--- Whole seconds, of the clock that stands in tests.
local function now()
  return math.floor(time.now())
end

local fresh = {
  ID = function() return native.uuid() end,
  HEX = function() return (native.uuid():gsub("-", "")) end,
  SHA = function() return ((native.uuid() .. native.uuid()):gsub("-", ""):sub(1, 40)) end,
  NUMBER = function() return ("%d"):format(tonumber(native.uuid():gsub("-", ""):sub(1, 11), 16)) end,
  NOW = function() return ("%d"):format(now()) end,
  NOW_MS = function() return ("%d000"):format(now()) end,
  TIME = function() return time.iso(now()) end,
}

--- A user's own profile: data, so it is run without any words.
local function own_profile(provider, folder)
  for _, below in ipairs { "/rules/providers/", "/providers/" } do
    local chunk = folder and loadfile(folder .. below .. provider .. ".lua", "t", {})
    local ok, profile = pcall(chunk or error)
    if ok and type(profile) == "table" then
      return profile
    end
  end
end

--- A profile as its file has it; nil for none.
-- @tparam string provider  "" for none
-- @tparam ?string folder  the one given to `run`, for a user's own profiles
function M.profile(provider, folder)
  local ok, profile = pcall(require, "tidewire.providers." .. provider)
  return ok and profile or own_profile(provider, folder)
end

--- The samples of a route's provider, else the generic ones: name → sample.
function M.of(provider, folder)
  local ok, samples = pcall(require, "tidewire.samples." .. (provider ~= "" and provider or "generic"))
  local own = not ok and own_profile(provider, folder)
  return ok and samples or own and own.samples or require "tidewire.samples.generic"
end

--- Sorted names.
function M.names(samples)
  local names = {}
  for name in pairs(samples) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- The header that a spot of a profile names first: of { "headers.x-event", "body.type" } "x-event".
local function header_of(spot)
  if type(spot) == "string" then
    return spot:match "^headers%.([%w%-]+)$"
  elseif type(spot) ~= "table" or spot.says then
    return nil
  end
  for _, one in ipairs(spot.join or spot.at and { spot.at } or spot) do
    local header = header_of(one)
    if header then return header end
  end
end

local function fill(text)
  return (text:gsub("%%([%u_]+)%%", function(word) return fresh[word] and fresh[word]() end))
end

--- A sample to send: everything fresh, with the headers by which the profile knows type and delivery.
-- @tparam ?table profile  as M.profile gives it
-- @tparam string name  the event type
-- @tparam string|table sample
-- @treturn table  { body, content_type, headers = { { name, value } … } }, not signed yet; the content type is in headers too
function M.fresh(profile, name, sample)
  local given = type(sample) == "table" and sample or { body = sample }
  local content_type = given.content_type or "application/json"
  local made = { body = fill(given.body), content_type = content_type, headers = { { "Content-Type", content_type } } }
  local seen = {}
  local function add(header, value)
    if header and not seen[header:lower()] then
      seen[header:lower()] = true
      made.headers[#made.headers + 1] = { header, value }
    end
  end
  if given.headers == false then
    return made
  end
  for _, header in ipairs(M.names(given.headers or {})) do
    add(header, fill(given.headers[header]))
  end
  if profile then
    add(header_of(profile.type), name)
    add(header_of(profile.id), native.uuid())
  end
  return made
end

return M
