--- The closed environment of rules: exactly the words of the documents, every library a read-only table of this state.
-- @module tidewire.environment
local strings = require "tidewire.strings"
local views = require "tidewire.views"
local suggest = require "tidewire.suggest"

local M = {}

local type, error, setmetatable, rawget, pairs, select, string = type, error, setmetatable, rawget, pairs, select, string
local getmetatable_raw = debug.getmetatable

local DEPTH_MAX = 100 -- calls from C functions back into Lua, one inside the other

local nesting = { 0 } -- how deep now; call.c sets it back at each way in, since the time limit may end a call before leave does
debug.getregistry()["tidewire.nesting"] = nesting

--- What a built-in function finds wrong with its arguments has no place and no name here, since it was called by pcall.
local function blame(name, why)
  local rest = type(why) == "string" and why:match "^bad argument (#%d+ to )'%?'"
  if rest then
    error(("bad argument %s'%s'%s"):format(rest, name, why:sub(#"bad argument " + #rest + #"'?'" + 1)), 3)
  end
  error(why, 0)
end

local function leave(name, ok, ...)
  nesting[1] = nesting[1] - 1
  if not ok then
    blame(name, (...))
  end
  return ...
end

--- f with its callback counted: these ways re-enter the C stack, which has an end.
local function counted(name, f, callback_at)
  return function(...)
    local kind = type((select(callback_at, ...)))
    if kind ~= "function" and kind ~= "table" then -- a table's __index is a callback, too
      return f(...)
    end
    if nesting[1] >= DEPTH_MAX then
      error("too deep: a callback inside a callback, " .. DEPTH_MAX .. " times", 2)
    end
    nesting[1] = nesting[1] + 1
    return leave(name, pcall(f, ...))
  end
end

local function counted_always(name, f)
  local g = counted(name, function(_, ...) return f(...) end, 1)
  return function(...)
    return g({}, ...)
  end
end

views.words.tostring = counted("tostring", tostring, 1) -- a table's __tostring

--- string.format, whose %s calls __tostring.
local function counted_format(format)
  local with_callbacks = counted_always("format", format)
  return function(...)
    for i = 2, select("#", ...) do
      if type((select(i, ...))) == "table" then
        return with_callbacks(...)
      end
    end
    return format(...)
  end
end

local FIND_PLAIN_FROM = 4096 -- bytes; up to here LuaJIT's own search is quick whatever it meets
local REP_MAX = 2 ^ 30       -- bytes; LuaJIT's own limit is 2^31

--- string.find, with a search of plain text that takes no longer for what a sender made up.
local function find(s, part, from, plain)
  if type(s) == "string" and #s > FIND_PLAIN_FROM and type(part) == "string"
    and (plain or not string.find(part, "[%^%$%*%+%?%.%(%)%[%]%%%-]")) then
    return strings.find(s, part, from)
  end
  return string.find(s, part, from, plain)
end

local function length_of(value)
  local kind = type(value)
  return kind == "string" and #value or kind == "number" and 20 or 0
end

local function rep(s, n, separator)
  if (length_of(s) + length_of(separator)) * (tonumber(n) or 0) > REP_MAX then
    strings.refuse_memory()
  end
  return string.rep(s, n, separator)
end

local function copy(from)
  local to = {}
  for key, value in pairs(from) do
    to[key] = value
  end
  return to
end

--- Library → its words, sorted; for the loader, which finds a word that is not there before anything runs.
M.libraries = {}

--- A table that can be read and not changed: an empty one in front of the content, so that reading costs no call.
local function locked(name, content)
  local names = suggest.names_of(content)
  M.libraries[name] = names
  local guarded = setmetatable(copy(content), {
    __index = function(_, key)
      error(("there is no %s.%s%s"):format(name, tostring(key), suggest.hint(key, names)), 2)
    end,
  })
  return setmetatable({}, {
    __index = guarded,
    __newindex = function(_, key)
      error(("%s.%s cannot be set: libraries are the same for all rules"):format(name, tostring(key)), 2)
    end,
    __metatable = false,
  })
end

local function string_library()
  local library = copy(string)
  for name, f in pairs(views.string) do
    library[name] = f
  end
  library.dump = nil
  library.gsub = counted("gsub", string.gsub, 3)
  library.find, library.rep, library.format = find, rep, counted_format(library.format)
  return library
end

local function table_library()
  local library = copy(table)
  for name, f in pairs(views.table) do
    library[name] = f
  end
  library.sort = counted_always("sort", library.sort) -- without a function it calls __lt
  library.foreach, library.foreachi, library.getn, library.setn = nil, nil, nil, nil
  return library
end

--- getmetatable of what is not the rule's own is false.
local own = setmetatable({}, { __mode = "kv" }) -- table → the metatable that a rule gave it, which json.array may have replaced

local function rule_setmetatable(t, meta)
  if type(t) ~= "table" then
    error("setmetatable wants a plain table", 2)
  end
  if getmetatable_raw(t) ~= own[t] then
    error("this table is not the rule's own", 2)
  end
  if meta ~= nil and rawget(meta, "__gc") ~= nil then
    error("__gc is not offered", 2)
  end
  setmetatable(t, meta)
  own[t] = meta
  return t
end

local function rule_getmetatable(value)
  if type(value) == "table" and getmetatable_raw(value) == own[value] then
    return getmetatable(value)
  end
  return false
end

-- Without what is there for other modules of ours.
local function library(name)
  local words = copy(require("tidewire." .. name))
  words.parts = nil
  return locked(name, words)
end

--- Every word that a rule file has without declaring anything; the loader adds the sentences.
-- @treturn table  name → value
function M.words()
  local actions = require("tidewire.actions").words
  local words = {
    assert = assert, error = error, pcall = pcall, xpcall = xpcall,
    getmetatable = rule_getmetatable, setmetatable = rule_setmetatable,
    string = locked("string", string_library()), table = locked("table", table_library()),
    math = locked("math", math), bit = locked("bit", bit),
    json = locked("json", views.json),
    base64 = library "base64", hex = library "hex", crypto = library "crypto", uuid = library "uuid",
    time = library "time", url = library "url", text = library "text", form = library "form", xml = library "xml",
    http = library "http", kv = library "kv", csv = library "csv", ip = library "ip", metric = library "metric",
  }
  for name, f in pairs(views.words) do
    words[name] = f
  end
  for name, f in pairs(actions) do
    words[name] = type(f) == "table" and locked(name, f) or f
  end
  local in_test_build, crash = pcall(require, "tidewire.crash")
  if in_test_build then
    words.crash = crash
  end
  return words
end

--- A strict table over words: an unknown name is what `unknown` makes of it, a new global never comes to be.
-- @tparam table words  becomes part of it; not to be changed after
-- @tparam function unknown  (name) → value, or raises
-- @tparam function assign  (name): a global is about to be made
-- @treturn table  for setfenv
function M.strict(words, unknown, assign)
  setmetatable(words, {
    __index = function(_, name)
      return unknown(name)
    end,
  })
  return setmetatable({}, {
    __index = words,
    __newindex = function(_, name)
      assign(name)
    end,
    __metatable = false,
  })
end

-- Strings: s:format and s:gsub are the libraries' of rules, and the metatable is out of reach.
do
  local meta = getmetatable_raw("")
  meta.__index = string_library()
  meta.__metatable = false
end

-- What event_fields.c says about a field that an event has not.
do
  local names = require("tidewire.event").fields
  debug.getregistry()["tidewire.unknown_field"] = function(name)
    return ("event has no field '%s'%s"):format(name, suggest.hint(name, names))
  end
end

return M
