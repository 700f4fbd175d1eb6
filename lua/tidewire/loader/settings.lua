--- The file tidewire.lua beside the rules: settings of the process, read with them and as strictly. So far `limits` and, of
-- `server`, `trusted_proxies`.
-- @module tidewire.loader.settings
local check = require "tidewire.loader.check"
local limits = require "tidewire.loader.limits"

local M = {}

--- Sentences of the documents that are not built yet.
M.later = { store = true, admin = true, log = true }

local server = { trusted_proxies = check.ranges }
local server_later = { listen = true, tls = true }

--- @tparam table load  gets `limits` and `trusted_proxies`
-- @treturn table  name → value
function M.words(load)
  --- A sentence that stands once.
  local function once(name, example, take)
    local first
    return function(given)
      local file, line = load.where()
      local self = check.new(load, name, file, line)
      if type(given) ~= "table" then
        self:fault({}, ("wants a table, got %s"):format(check.shown(given)), { hint = "write " .. example })
      elseif first then
        self:fault({}, ("stands here and in line %d: write one of them"):format(first))
      else
        first = line
        take(self, given)
      end
    end
  end
  return {
    limits = once("limits", "limits { handler_time = \"30s\" }", function(self, given)
      load.limits = limits.of_installation(self, given)
    end),
    server = once("server", "server { trusted_proxies = { \"10.0.0.0/8\" } }", function(self, given)
      load.trusted_proxies = self:fields({}, given, server, server_later).trusted_proxies or {}
    end),
  }
end

return M
