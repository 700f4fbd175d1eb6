--- The sentence `batch`: when its groups are flushed, as data; its function for the worker's state.
-- @module tidewire.loader.batch
local check = require "tidewire.loader.check"
local limits = require "tidewire.loader.limits"
local paths = require "tidewire.paths"
local retry = require "tidewire.loader.retry"

local M = {}

local ITEMS_MAX = 1000

local function by_of(self, path, value)
  if type(value) ~= "string" or not paths.path_is_valid(value) then
    return self:wants(path, value, "a path in the item", "by = \"team\"")
  end
  return value
end

local known = {
  every = check.duration("1s", "30d"), max = check.whole(1, ITEMS_MAX), by = by_of,
  flush = function(self, path, value)
    if type(value) ~= "function" then
      return self:wants(path, value, "a function", "function(items, key) … end")
    end
    return value
  end,
  retry = retry.of_route, limits = limits.of_route,
}

--- @tparam table load  the running load
-- @tparam string name
-- @tparam table given  what was written
-- @treturn table  the record that core/script/record_task.c and the batch's methods read
-- @treturn table  { handle }
function M.make(load, name, given, file, line)
  local self = check.new(load, ("batch %q"):format(name), file, line)
  local fields = self:fields({}, given, known)
  if self:lacks(given, "every") then
    self:fault({}, "needs every", { hint = "add every = \"1h\": so long after its first item a group is flushed" })
  end
  if self:lacks(given, "flush") then
    self:fault({}, "needs flush", { hint = "add flush = function(items, key) … end" })
  end
  return { path = "batch:" .. name, file = file, line = line, retry = fields.retry or retry.route_defaults,
    limits = fields.limits or {}, every = fields.every or 0, max = fields.max or ITEMS_MAX, by = fields.by },
    { handle = fields.flush }
end

return M
