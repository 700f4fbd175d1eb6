--- How words say what is wrong: at the line of the rule, with what was given and what to write.
-- @module tidewire.faults
local native = require "tidewire.actions_native"
local suggest = require "tidewire.suggest"
local units = require "tidewire.units"
local views = require "tidewire.views"

local M = {}

local type, next, rawget = type, next, rawget
local type_of, text_of = views.words.type, views.words.tostring

local SHOWN_MAX = 40

--- Text in quotes, cut and without control bytes.
function M.quoted(text)
  local shown = text:sub(1, SHOWN_MAX)
  if #text > SHOWN_MAX then
    shown = shown:gsub("[\192-\255][\128-\191]*$", "") .. "…" -- no half of a character
  end
  return "'" .. shown:gsub("[%c\127]", function(c) return ("\\%d"):format(c:byte()) end) .. "'"
end

--- A value as a message about it says it, never by what the value says of itself.
function M.got(value)
  local kind = type_of(value)
  if kind == "string" then
    return M.quoted(value)
  elseif kind == "number" or kind == "boolean" then
    return (kind == "number" and "the number " or "") .. text_of(value)
  elseif kind == "nil" or kind == "null" then
    return kind == "nil" and "nil" or "json.null"
  elseif type(value) == "userdata" and kind == "table" then
    return views.is_view(value) and "a view" or "event.headers, event.query or event.params as a whole"
  end
  return (kind == "event" and "an " or "a ") .. kind
end

--- Raises, at the line of the rule however deep in here it is found.
function M.fault(format, ...)
  native.fault(format:format(...))
end

--- A duration in milliseconds.
-- @tparam string what  the word, for the message
function M.milliseconds(what, value)
  if type(value) == "number" and not (value >= 0 and value < math.huge) then
    M.fault("%s: write a duration as text, for example \"10s\", got %s", what, M.got(value))
  end
  local ms, why = units.duration(value)
  if not ms then
    M.fault("%s: %s, got %s", what, why, M.got(value))
  end
  return ms
end

--- The one option of a word's last argument: `kv.set(key, value, { ttl = "10m" })`.
-- @tparam string example  of its value, as it is written
-- @return nil: it is not given
function M.option(word, how, name, example)
  if how == nil then
    return nil
  elseif type(how) ~= "table" then
    M.fault("%s: its last argument is a table such as { %s = %s }, got %s", word, name, example, M.got(how))
  end
  for key in next, how do
    if key ~= name then
      M.fault("%s has no option %s%s", word, M.got(key), suggest.hint(key, { name }))
    end
  end
  return rawget(how, name)
end

local LATEST_S = 73000 * 86400 -- twice the longest duration after 1970

--- A time in seconds since 1970, in milliseconds.
-- @tparam string what  for the message: "send: at"
function M.moment(what, at)
  if type(at) ~= "number" or not (at >= 0 and at < math.huge) then
    M.fault("%s is in seconds since 1970, such as time.now() + 600, got %s%s", what, M.got(at),
      type(at) == "string" and ": write time.parse(…)" or "")
  elseif at > LATEST_S then
    M.fault("%s is too far away: %s seconds since 1970; milliseconds are divided by 1000", what, text_of(at))
  end
  return math.floor(at * 1000)
end

return M
