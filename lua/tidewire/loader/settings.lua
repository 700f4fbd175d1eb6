--- The file tidewire.lua beside the rules: settings of the process, read with them and as strictly. So far `limits`.
-- @module tidewire.loader.settings
local check = require "tidewire.loader.check"
local limits = require "tidewire.loader.limits"

local M = {}

--- Sentences of the documents that are not built yet.
M.later = { server = true, store = true, admin = true, log = true }

--- @tparam table load  gets `limits`
-- @treturn table  name → value
function M.words(load)
  local first
  return {
    limits = function(given)
      local file, line = load.where()
      local self = check.new(load, "limits", file, line)
      if type(given) ~= "table" then
        self:fault({}, ("wants a table, got %s"):format(check.shown(given)), { hint = "write limits { handler_time = \"30s\" }" })
      elseif first then
        self:fault({}, ("stands here and in line %d: write one of them"):format(first))
      else
        first = line
        load.limits = limits.of_installation(self, given)
      end
    end,
  }
end

return M
