--- Opaque values that sentences and option words give: targets, tasks, batches, providers, verify, sign, auth.
-- @module tidewire.values
local suggest = require "tidewire.suggest"

local M = {}

local kinds = setmetatable({}, { __mode = "k" })
local contents = setmetatable({}, { __mode = "k" })

--- @tparam string kind  "target", "task", "batch", "provider", "verify", "sign", "auth"
-- @tparam table content  what it stands for
-- @tparam table methods  name → function(value, …), or nil
function M.new(kind, content, methods)
  local value = newproxy(true)
  local meta = getmetatable(value)
  meta.__metatable = false
  meta.__type = kind
  meta.__tostring = function()
    return kind .. (content.name and " " .. content.name or "")
  end
  meta.__index = function(_, key)
    local method = methods and methods[key]
    if method then
      return method
    elseif methods then
      error(("a %s has no '%s'%s"):format(kind, tostring(key), suggest.hint(key, suggest.names_of(methods))), 2)
    end
    error(("a %s has no fields to look at (asked for '%s')"):format(kind, tostring(key)), 2)
  end
  meta.__newindex = function()
    error(("a %s cannot be changed"):format(kind), 2)
  end
  kinds[value], contents[value] = kind, content
  return value
end

--- @treturn string|nil  the kind, nil for anything that M.new did not make
function M.kind_of(value)
  return type(value) == "userdata" and kinds[value] or nil
end

function M.content_of(value)
  return contents[value]
end

--- @treturn string|nil  the name of a target
function M.target_name(value)
  if M.kind_of(value) == "target" then
    return contents[value].name
  end
end

return M
