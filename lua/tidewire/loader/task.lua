--- The sentence `task`: when it runs and how, as data; its handler as a function of the worker's state.
-- @module tidewire.loader.task
local check = require "tidewire.loader.check"
local limits = require "tidewire.loader.limits"
local retry = require "tidewire.loader.retry"

local M = {}

local known = { handle = check.callback, retry = retry.of_route, limits = limits.of_route }
local later = { every = true, cron = true, zone = true }

--- @tparam table load  the running load
-- @tparam string name
-- @tparam table given  what was written
-- @treturn table  the record that core/script/records.c reads
-- @treturn table  { handle }
function M.make(load, name, given, file, line)
  local self = check.new(load, ("task %q"):format(name), file, line)
  local fields = self:fields({}, given, known, later)
  if given.handle == nil then
    self:fault({}, "needs a handler", { hint = "add handle = function(data) … end" })
  end
  return { path = "task:" .. name, file = file, line = line, retry = fields.retry or retry.route_defaults,
    limits = fields.limits or {} }, { handle = fields.handle }
end

return M
