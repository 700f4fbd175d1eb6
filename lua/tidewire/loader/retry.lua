--- The option `retry` of routes and targets: the same words on both (rules.md 3).
-- @module tidewire.loader.retry
local check = require "tidewire.loader.check"

local M = {}

local known = {
  attempts = check.whole(1, 1000),
  first = check.duration("1ms", "7d"),
  factor = check.number(1, 100),
  max = check.duration("1ms", "30d"),
  within = check.duration("1s", "90d"),
  on = check.list(check.whole(300, 599)),
}

local function filled(given, defaults)
  local retry = check.with_defaults(given, defaults)
  retry.max = math.max(retry.max, retry.first)
  return retry
end

--- Handler tries: no `on` (an error has no status), and never off.
M.route_defaults = { attempts = 5, first = 1000, factor = 10, max = 3600000, within = 0 }
M.target_defaults = { attempts = 0, first = 5000, factor = 3, max = 21600000, within = 259200000 }

function M.of_route(self, path, value)
  if type(value) ~= "table" then
    return self:wants(path, value, "a table", "retry = { attempts = 5, first = \"1s\" }")
  end
  local words = { attempts = known.attempts, first = known.first, factor = known.factor, max = known.max, within = known.within }
  return filled(self:fields(path, value, words), M.route_defaults)
end

function M.of_target(self, path, value)
  if value == false then
    local once = filled({}, M.target_defaults)
    once.off, once.attempts = true, 1
    return once
  end
  if type(value) ~= "table" then
    return self:wants(path, value, "a table or false", "retry = { first = \"5s\", within = \"3d\" }")
  end
  return filled(self:fields(path, value, known), M.target_defaults)
end

return M
