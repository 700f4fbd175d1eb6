--- tidewire status: is it well, what is stuck, since when.
-- @module tidewire.cli.status
local json = require "tidewire.cli.json"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"

local M = { summary = "one screen: is it well, what is stuck, since when" }

function M.describe() end

local function duration(seconds)
  if seconds < 120 then return ("%d s"):format(seconds) end
  if seconds < 7200 then return ("%d min"):format(seconds / 60) end
  return seconds < 172800 and ("%d h"):format(seconds / 3600) or ("%d d"):format(seconds / 86400)
end

local function print_problem(problem)
  print(("%s %s%s"):format(problem.severity == "error" and "✗" or "!", problem.what,
    problem.since and " (since " .. screen.time(problem.since) .. ")" or ""))
  print("    " .. (problem.where and problem.where .. ": " or "") .. problem.cure
    .. (problem.command and "    " .. problem.command or ""))
end

--- What handlers have cost, all workers together: rows by route.
local function handler_rows(status)
  local by_route, names = {}, {}
  for _, worker in ipairs(status.workers) do
    for _, route in ipairs(worker.requests) do
      local sum = by_route[route.route]
      if not sum then
        sum = { accepted = 0, runs = 0, cpu_ms = 0, memory = 0, failures = {} }
        by_route[route.route] = sum
        names[#names + 1] = route.route
      end
      sum.accepted, sum.runs = sum.accepted + route.accepted, sum.runs + route.handler.runs
      sum.cpu_ms, sum.memory = sum.cpu_ms + route.handler.cpu_ms, math.max(sum.memory, route.handler.memory_peak)
      for reason, count in pairs(route.handler.failures) do
        sum.failures[reason] = (sum.failures[reason] or 0) + count
      end
    end
  end
  table.sort(names)
  return by_route, names
end

local function failures_of(sum)
  local texts = {}
  for reason, count in pairs(sum.failures) do
    texts[#texts + 1] = ("%s %d"):format(reason, count)
  end
  table.sort(texts)
  return table.concat(texts, ", ")
end

local function print_routes(status)
  local by_route, names = handler_rows(status)
  local waiting, rows = {}, {}
  for _, route in ipairs(status.events) do
    waiting[route.route] = route
  end
  for _, name in ipairs(names) do
    local sum, stuck = by_route[name], waiting[name]
    if name ~= "" then
      rows[#rows + 1] = { name, ("%d"):format(sum.accepted), ("%d"):format(stuck and stuck.waiting or 0),
        ("%d"):format(stuck and stuck.dead or 0), ("%d"):format(sum.runs),
        sum.runs > 0 and ("%.2f ms"):format(sum.cpu_ms / sum.runs) or "-", ("%.1f MiB"):format(sum.memory / 1048576),
        failures_of(sum) }
    end
  end
  screen.rows({ "route", "received", "waiting", "dead", "runs", "cpu each", "memory", "failures" }, rows)
end

function M.run(arguments)
  local answer = router.call(arguments, "GET", "/v1/status")
  if not answer then
    screen.fail(router.absent(arguments))
    return 4
  end
  local status = json.decode(answer.body)
  local broken = not status.ready
  for _, problem in ipairs(status.problems) do
    broken = broken or problem.severity == "error"
  end
  if arguments.json then
    print(answer.body)
    return broken and 1 or 0
  end
  local restarts = status.restarts > 0 and (", started again %d times"):format(status.restarts) or ""
  print(("tidewire %s, %s for %s, generation %d%s"):format(status.version, status.ready and "serving" or "not ready",
    duration(status.uptime_s), status.generation, restarts))
  for _, problem in ipairs(status.problems) do
    print_problem(problem)
  end
  if #status.problems == 0 then
    print "All is well."
  end
  print_routes(status)
  return broken and 1 or 0
end

return M
