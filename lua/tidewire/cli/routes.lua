--- tidewire routes: the entrances of a folder of rules.
-- @module tidewire.cli.routes
local json = require "tidewire.cli.json"
local rules_of = require "tidewire.cli.rules_of"
local screen = require "tidewire.cli.screen"

local M = { summary = "the entrances: path, provider, verified how, rate, targets, file:line" }

function M.describe(command)
  command:argument("route", "one path only, with all that holds for it"):args "?"
end

local function rate_text(rate)
  if not rate then
    return ""
  end
  return rate.per_second >= 1 and ("%g/s"):format(rate.per_second) or rate.per_second * 60 >= 1
    and ("%g/m"):format(rate.per_second * 60) or ("%g/h"):format(rate.per_second * 3600)
end

local function object_of(record, handler)
  return {
    path = record.path, methods = json.array(record.methods), provider = record.provider, verified = record.verify.name,
    rate = rate_text(record.rate), targets = json.array(rules_of.targets_of(handler)), file = record.file, line = record.line,
    enabled = record.enabled, host = record.host, ack = record.ack, dedupe = record.dedupe.by, max_body = record.max_body,
    keep_ms = record.keep and record.keep_ms or 0, content = record.content, attempts = record.retry.attempts,
  }
end

local function row_of(route)
  return { route.path .. (route.enabled and "" or " (off)"), route.provider, route.verified, route.rate,
    table.concat(route.targets, ", "), ("%s:%d"):format(route.file, route.line) }
end

local shown = { "methods", "provider", "verified", "host", "rate", "content", "max_body", "dedupe", "ack", "attempts", "keep_ms",
  "enabled", "targets", "file" }

local function print_one(route)
  route.file = ("%s:%d"):format(route.file, route.line)
  local rows = {}
  for i, name in ipairs(shown) do
    local value = route[name]
    rows[i] = { name, type(value) == "table" and table.concat(value, ", ") or tostring(value) }
  end
  screen.rows({ route.path, "" }, rows)
end

local function routes_of(loaded)
  local routes = {}
  for i, record in ipairs(loaded.routes) do
    routes[i] = object_of(record, loaded.route_functions[record.path].handle)
  end
  table.sort(routes, function(a, b) return a.path < b.path end)
  return routes
end

local function print_all(routes, as_json)
  local rows = {}
  for i, route in ipairs(routes) do
    if as_json then
      print(json.encode(route))
    end
    rows[i] = row_of(route)
  end
  if not as_json then
    screen.rows({ "path", "provider", "verified", "rate", "targets", "" }, rows)
  end
end

function M.run(arguments)
  local loaded = rules_of.load(arguments.folder or ".")
  if not loaded then
    return 3
  end
  local routes = routes_of(loaded)
  if not arguments.route then
    print_all(routes, arguments.json)
    return 0
  end
  local paths = {}
  for i, route in ipairs(routes) do
    paths[i] = route.path
    if route.path == arguments.route then
      if arguments.json then
        print(json.encode(route))
      else
        print_one(route)
      end
      return 0
    end
  end
  screen.fail(("there is no route %s%s"):format(arguments.route, screen.did_you_mean(arguments.route, paths)))
  return 5
end

return M
