--- Opaque values that sentences and option words give: targets, providers, verify, sign, auth.
-- @module tidewire.values
local M = {}

local kinds = setmetatable({}, { __mode = "k" })
local contents = setmetatable({}, { __mode = "k" })

--- @tparam string kind  "target", "provider", "verify", "sign", "auth"
-- @tparam table content  what it stands for
function M.new(kind, content)
  local value = newproxy(true)
  local meta = getmetatable(value)
  meta.__metatable = false
  meta.__type = kind
  meta.__tostring = function()
    return kind .. (content.name and " " .. content.name or "")
  end
  meta.__index = function(_, key)
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
