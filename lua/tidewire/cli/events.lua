--- tidewire events [list|show|save]: from the running router, else from its store.
-- @module tidewire.cli.events
local events_save = require "tidewire.cli.events_save"
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"
local stored = require "tidewire.cli.stored"

local M = { summary = "what arrived, and what became of it: events, events show ID, events save ID" }

function M.describe(command)
  command:argument("action", "list (default), show, or save: as a sample for tests"):args "?"
  command:argument("id", "of `show` and `save`"):args "?"
  command:option("--route", "only this route"):argname "ROUTE"
  command:option("--type", "only this type"):argname "TYPE"
  command:option("--state", "waiting, delivering, done, dropped or dead"):argname "STATE"
    :choices { "waiting", "delivering", "done", "dropped", "dead" }
  command:option("--limit", "how many, 1 to 500"):argname "N":default "50":convert(tonumber)
  command:option("--cursor", "go on where a list ended"):argname "CURSOR"
  command:option("--name", "of the file that `save` writes: rules/samples/NAME.json"):argname "NAME"
  command:option("--store", "the store to read when no router runs"):argname "PATH"
end

local function query_of(arguments)
  local parts = {}
  for _, name in ipairs { "route", "type", "state", "limit", "cursor" } do
    if arguments[name] then
      parts[#parts + 1] = name .. "=" .. stored.escape(tostring(arguments[name]))
    end
  end
  return table.concat(parts, "&")
end

local function list(arguments)
  local status, body = stored.ask(arguments, "/v1/events?" .. query_of(arguments), function(file)
    return native.store_list(file, arguments)
  end)
  if not status then
    return 4
  end
  local answer = json.decode(body)
  if status ~= 200 then
    screen.fail(answer.detail or body)
    return 2
  end
  if arguments.json then
    for _, event in ipairs(answer.items) do
      print(json.encode(event))
    end
    return 0
  end
  local rows = {}
  for i, event in ipairs(answer.items) do
    rows[i] = {
      screen.time(event.received_at), screen.state(event.state), event.route, event.type ~= json.null and event.type or "-",
      ("%d/%d"):format(event.delivered_count, event.delivery_count), event.id,
      event.reason ~= json.null and event.reason:match "^[^\n]*" or "",
    }
  end
  screen.rows({ "time", "state", "route", "type", "sent", "id", "" }, rows)
  if answer.next_cursor ~= json.null then
    screen.hint("More: tidewire events --cursor " .. answer.next_cursor)
  end
  return 0
end

local function print_delivery(delivery)
  print(("  %s  %s  %d attempt%s%s%s"):format(screen.state(delivery.state), delivery.target, delivery.attempts,
    delivery.attempts == 1 and "" or "s",
    delivery.reason ~= json.null and "  " .. delivery.reason or "",
    delivery.next_at and "  next " .. screen.time(delivery.next_at) or ""))
  print("      message  " .. tostring(delivery.message))
  for _, try in ipairs(delivery.tries) do
    print(("      %d  %s  %s  %d ms  %s"):format(try.n, screen.time(try.at),
      try.status ~= json.null and tostring(try.status) or try.error_type, try.took_ms,
      try.detail ~= json.null and try.detail or try.answer:sub(1, 120)))
  end
end

--- JSON of the event that the arguments name; or nil and the exit code.
local function fetch(arguments)
  if not arguments.id then
    screen.fail(("events %s wants an event id: tidewire events %s ID"):format(arguments.action, arguments.action))
    return nil, 2
  end
  return stored.event(arguments, arguments.id)
end

--- Into the folder of the running router, if it runs.
local function save(arguments)
  local body, code = fetch(arguments)
  if not body then
    return code
  end
  local answer = not arguments.folder and router.call(arguments, "GET", "/v1/status")
  local running = answer and answer.status == 200 and json.decode(answer.body)
  return events_save.save(body, arguments.folder or running and running.folder or ".", arguments.name)
end

local function show(arguments)
  local body, code = fetch(arguments)
  if not body then
    return code
  end
  if arguments.json then
    print(body)
    return 0
  end
  local event = json.decode(body)
  print(("%s  %s  %s%s"):format(event.id, screen.state(event.state), event.route,
    event.type ~= json.null and "  " .. event.type or ""))
  print(("  received %s from %s, verified: %s, %d bytes, generation %d, attempt %d"):format(event.received_at,
    event.remote_ip, event.verified, event.body_bytes, event.generation, event.attempt))
  if event.reason ~= json.null then
    print("  " .. event.reason)
  end
  if event.replayed_as ~= json.null then
    print("  replayed as " .. event.replayed_as)
  end
  for _, failure in ipairs(event.failures) do
    print(("  try %d  %s  generation %d  %s: %s"):format(failure.n, screen.time(failure.at), failure.generation, failure.reason,
      failure.detail))
  end
  for _, lookup in ipairs(event.lookups) do
    print(("  try %d  %s  asked %s %s  %s  %d ms"):format(lookup.try, screen.time(lookup.at), lookup.method, lookup.url,
      lookup.error_type ~= json.null and lookup.error_type or lookup.status ~= json.null and tostring(lookup.status)
      or "no answer yet", lookup.took_ms))
  end
  for _, delivery in ipairs(event.deliveries) do
    print_delivery(delivery)
  end
  return 0
end

function M.run(arguments)
  arguments.action = arguments.action or "list"
  if arguments.action == "list" then
    return list(arguments)
  elseif arguments.action == "show" then
    return show(arguments)
  elseif arguments.action == "save" then
    return save(arguments)
  end
  screen.fail(("events has no action '%s'%s"):format(arguments.action,
    screen.did_you_mean(arguments.action, { "list", "show", "save" })))
  return 2
end

return M
