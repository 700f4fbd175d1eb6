--- The option `order_by` of targets and routes: a function, or a path to the one value that is the key.
-- @module tidewire.loader.order_by
local findings = require "tidewire.loader.findings"
local paths = require "tidewire.paths"

local M = {}

--- @tparam string what  "a message": what the path leads into
-- @tparam {string,...} roots  what it has
-- @tparam function leads  (root, path) → does it lead somewhere?
-- @treturn function  checker of the option
function M.into(what, roots, leads)
  return function(self, path, value)
    if type(value) == "function" then
      return value
    elseif type(value) ~= "string" or not paths.path_is_valid(value) then
      return self:wants(path, value, "a path or a function", "order_by = \"body.account\"")
    end
    local root = value:match "^[%w_]+"
    if not leads(root, value) then
      local hint, suggestion = findings.near(root, roots)
      return self:fault(path, ("order_by: %s has no '%s'"):format(what, root),
        { hint = hint or ("a field of the body is written \"body.%s\""):format(value), suggestion = suggestion })
    elseif value:find("[*]", 1, true) then
      return self:fault(path, "order_by: a key is one value, so '[*]' has no place in it")
    end
    return value
  end
end

return M
