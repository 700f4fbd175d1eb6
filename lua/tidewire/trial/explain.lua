--- One request in a trial of the rules, with each decision about it: data for `tidewire explain`.
-- @module tidewire.trial.explain
local json = require "tidewire.cli.json"
local log = require "tidewire.trial.log"
local network = require "tidewire.trial.network"
local requests = require "tidewire.trial.request"
local runs = require "tidewire.trial.run"
local time = require "tidewire.time"
local trial = require "tidewire.trial_native"

local M = {}

local BODY_MAX = 2048              -- bytes of a message's body
local HANDLER_MS = 60 * 1000       -- how long a handler that waits is waited for
local DUE_MAX_MS = 30 * 86400 * 1000 -- messages that are due later are not made ready
local NOT_ASKED = "nothing is asked in a dry run"

local function known(value)
  if value ~= json.null and value ~= "" then
    return value
  end
end

-- ---- the trial ----

--- A network that is shut: targets note what they would get, what handlers ask fails.
local function shut_network(rules)
  local net = network.new(rules.targets)
  net.refused = {}
  return net, function(request)
    if request.target == "" then
      net.refused[#net.refused + 1] = { method = request.method, url = request.url }
      return { error = "connect", detail = NOT_ASKED }
    end
    return net:answer(request)
  end
end

local function event_of(id)
  local text = trial.show(id)
  return text and json.decode(text)
end

--- The events of the run, when their handlers have ended, or will not soon.
local function settled_events(run)
  local events = {}
  for i, id in ipairs(run.ids) do
    local event = event_of(id)
    if event and event.state == "waiting" and not known(event.reason) then
      trial.pass(HANDLER_MS)
      event = event_of(id)
    end
    events[i] = event or { id = id, state = "done", deliveries = {} } -- kept nowhere, since `keep = false`
  end
  return events
end

--- Lets pass what time it takes until the last message is due, so that each is made ready.
local function reach_messages(events)
  local last = trial.now()
  for _, event in ipairs(events) do
    for _, delivery in ipairs(event.deliveries) do
      last = math.max(last, delivery.next_at and time.parse(delivery.next_at) * 1000 + 1 or 0)
    end
  end
  if last - trial.now() <= DUE_MAX_MS then
    trial.pass(last - trial.now())
  end
end

-- ---- decisions ----

local function message_of(delivery, request, hidden)
  local body = hidden and "(hidden)" or request and request.body or delivery.message or ""
  return { target = delivery.target, method = request and request.method, url = request and request.url,
    body = body:sub(1, BODY_MAX), body_bytes = not hidden and #body or nil, key = known(delivery.order_key),
    due = delivery.next_at or "at once" }
end

local function messages_of(events, net, is_hidden)
  local messages, seen = {}, {}
  for _, event in ipairs(events) do
    for _, delivery in ipairs(event.deliveries) do
      seen[delivery.id] = true
      messages[#messages + 1] = message_of(delivery, net.by_delivery[delivery.id], is_hidden)
    end
  end
  for _, request in ipairs(net:list(function(message) return not seen[message.id] end)) do
    messages[#messages + 1] = message_of({ target = request.target }, request, is_hidden) -- of an event that is kept nowhere
  end
  return messages
end

--- What was decided about each event, in the order of their coming.
local function decisions_of(noted, events)
  local list, by_id = {}, {}
  for _, note in ipairs(noted) do
    local decided = by_id[note.event]
    if not decided then
      decided = { type = known(note.type), decoded = note.decoded, when = note.when, hidden = note.hidden }
      by_id[note.event] = decided
      list[#list + 1] = decided
    end
    decided.key = note.key or decided.key
  end
  for _, event in ipairs(events) do
    local decided = by_id[event.id]
    if decided then
      decided.state, decided.reason = event.state, known(event.reason)
    end
  end
  return list
end

local function schema_of(record, response)
  if not record.schema then
    return nil
  end
  local is_refused = response.status == 422
  return { holds = not is_refused, why = is_refused and response.json and response.json.detail or nil }
end

local function handler_of(handler)
  local info = debug.getinfo(handler, "S")
  return { file = (info.source:gsub("^[=@]", "")), line = info.linedefined }
end

--- nil: what came before or after the signature ended the request.
local function validity(noted, run)
  if #noted > 0 then
    return true
  elseif run.status == 401 then
    return false
  end
end

--- Of a request that reached a route.
local function explain_route(found, route, handler, run, net)
  local events = settled_events(run)
  local noted = json.decode(trial.explained())
  found.route = { path = route.path, file = route.file, line = route.line }
  found.verification = { by = route.verify.name, valid = validity(noted, run) }
  found.events = decisions_of(noted, events)
  found.when_function = route.when_function
  found.schema = #noted > 0 and schema_of(route, run.response) or nil
  found.dedupe = { by = route.dedupe.by, path = known(route.dedupe.shown), within_ms = route.dedupe.within }
  found.handler = handler_of(handler)
  reach_messages(events)
  local is_hidden = found.events[1] and found.events[1].hidden
  found.messages = messages_of(events, net, is_hidden)
end

--- @tparam table rules  of native.check with stand-ins, and folder
-- @tparam table loaded  the same rules as the loader gives them
-- @tparam string path  where the request is sent
-- @tparam table request  as `feed` takes it
-- @treturn table|nil  { state, reason, route, verification, events, when_function, schema, dedupe, handler, messages, asked, log,
-- reply }; or nil and why
function M.run(rules, loaded, path, request)
  local net, answer = shut_network(rules)
  trial.keep_log()
  trial.freeze(os.time() * 1000)
  local ok, why = trial.begin(answer, true)
  if not ok then
    return nil, why
  end
  local built, bytes = pcall(requests.build, rules, path, request)
  if built then
    bytes, why = trial.feed(bytes, request.remote_ip or "127.0.0.1")
  else
    bytes, why = nil, bytes
  end
  if not bytes then
    trial.finish()
    return nil, (tostring(why):gsub("^feed: ", ""))
  end
  local run = runs.new(requests.parse(bytes), net)
  local found = { path = path, reply = { status = run.status, body = run.response.body } }
  local route = requests.route_of(loaded.routes, path)
  if route then
    explain_route(found, route, loaded.route_functions[route.path].handle, run, net)
  end
  found.state, found.reason = run.state, run.reason
  found.asked = net.refused
  found.log = log.shown(trial.take_log())
  trial.finish()
  return found
end

return M
