--- What foreign scripts see of JSON: plain tables, null as nil, as in the programs they were written for.
-- @module tidewire.compat.plain
local views = require "tidewire.views"

local M = {}

local null = views.null
local type_of = views.words.type

--- @return v as plain tables; nulls are absent, in lists they are left out
function M.from(v)
  if v == null then return nil end
  if type_of(v) ~= "table" then return v end
  local out = {}
  if views.is_view(v) and #v > 0 or type(v) == "table" and v[1] ~= nil then
    for _, item in views.words.ipairs(v) do
      out[#out + 1] = M.from(item)
    end
    return out
  end
  for name, item in views.words.pairs(v) do
    out[name] = M.from(item)
  end
  return out
end

--- The libraries of Lua that a script may use, changes of which nobody else sees: a table of its own.
-- @tparam table words  the words of rules
function M.environment(words)
  local environment = {}
  for _, name in ipairs { "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "select",
    "setmetatable", "string", "table", "math", "tonumber", "tostring", "type", "unpack", "xpcall" } do
    environment[name] = words[name]
  end
  environment._G = environment
  environment.os = { time = function() return math.floor(words.time.now()) end }
  return environment
end

return M
