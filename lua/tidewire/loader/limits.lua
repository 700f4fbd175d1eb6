--- What one run may use: `limits { … }` in tidewire.lua for all routes, `limits = { … }` on a route for its own.
-- @module tidewire.loader.limits
local check = require "tidewire.loader.check"

local M = {}

local of_a_run = {
  handler_cpu = check.duration("1ms", "5s"), -- a loop that stands still for 10 s is taken for hung
  handler_time = check.duration("10ms", "1h"),
  handler_memory = check.size("1MiB", "1GiB"), -- garbage counts until it is collected: in less, frugal handlers would fail
}

local of_all = check.with_defaults({ max_body = check.size("1B", "64MiB"), state_memory = check.size("16MiB", "4GiB") }, of_a_run)

M.defaults = { handler_cpu = 200, handler_time = 30000, handler_memory = 64 * 1048576, state_memory = 256 * 1048576,
  max_body = 1048576 }

local function check_sizes(self, path, limits)
  if limits.handler_memory * 2 > limits.state_memory then
    self:fault(path, "handler_memory is more than half of state_memory: two handlers would fill the Lua state",
      { hint = "set limits { state_memory = … } in tidewire.lua to twice as much, or handler_memory to less" })
  end
end

--- @treturn table  all limits of the installation
function M.of_installation(self, given)
  local limits = check.with_defaults(self:fields({}, given, of_all), M.defaults)
  check_sizes(self, {}, limits)
  return limits
end

--- The option of a route.
function M.of_route(self, path, value)
  if type(value) ~= "table" then
    return self:wants(path, value, "a table", "limits = { handler_time = \"60s\" }")
  end
  local limits = self:fields(path, value, of_a_run, { max_body = true, state_memory = true })
  check_sizes(self, path, check.with_defaults(limits, self.load.limits))
  return limits
end

return M
