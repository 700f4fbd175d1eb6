--- The sentence `task`: when it runs and how, as data; its handler as a function of the worker's state.
-- @module tidewire.loader.task
local check = require "tidewire.loader.check"
local limits = require "tidewire.loader.limits"
local retry = require "tidewire.loader.retry"
local schedule = require "tidewire.schedule"

local M = {}

local function cron_of(self, path, value)
  local why = type(value) == "string" and schedule.check_cron(value)
  if type(value) ~= "string" then
    return self:wants(path, value, "a text of five fields", "cron = \"0 9 * * 1-5\"")
  elseif why then
    return self:fault(path, "cron: " .. why, { hint = "for example \"0 9 * * 1-5\": on weekdays at nine" })
  end
  return value
end

--- Looked up only in a check: workers read no files.
local function zone_of(self, path, value)
  if type(value) ~= "string" then
    return self:wants(path, value, "the name of a time zone", "zone = \"Europe/Berlin\"")
  elseif self.load.mode == "check" and not schedule.zone_is_known(value) then
    return self:fault(path, ("the time zone %s is not known to this system"):format(check.shown(value)),
      { hint = "write one such as \"Europe/Berlin\"; the package tzdata has them all" })
  end
  return value
end

local known = {
  handle = check.callback, retry = retry.of_route, limits = limits.of_route,
  every = check.duration("1s", "366d"), cron = cron_of, zone = zone_of,
}

--- What is kept beside its last time: another schedule begins anew.
local function schedule_of(self, fields, given)
  if given.every ~= nil and given.cron ~= nil then
    self:fault({ "cron" }, "has every and cron: write one of them", { at_key = true })
  elseif given.zone ~= nil and given.cron == nil then
    self:fault({ "zone" }, "zone belongs to cron", { at_key = true, hint = "every runs at the same moments everywhere" })
  end
  if fields.every then
    return ("every %.0f"):format(fields.every)
  end
  return fields.cron and ("cron %s %s"):format(fields.cron, fields.zone or "UTC") or ""
end

--- @tparam table load  the running load
-- @tparam string name
-- @tparam table given  what was written
-- @treturn table  the record that core/script/record_task.c reads
-- @treturn table  { handle }
function M.make(load, name, given, file, line)
  local self = check.new(load, ("task %q"):format(name), file, line)
  local fields = self:fields({}, given, known)
  if self:lacks(given, "handle") then
    self:fault({}, "needs a handler", { hint = "add handle = function(data) … end" })
  end
  return { path = "task:" .. name, file = file, line = line, retry = fields.retry or retry.route_defaults,
    limits = fields.limits or {}, schedule = schedule_of(self, fields, given), every = fields.every, cron = fields.cron,
    zone = fields.zone or "UTC" }, { handle = fields.handle }
end

return M
