--- tidewire send: a signed sample, a file, or standard input to a route of the running router.
-- @module tidewire.cli.send
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local router = require "tidewire.cli.router"
local samples = require "tidewire.samples"
local screen = require "tidewire.cli.screen"
local signing = require "tidewire.cli.signing"
local views = require "tidewire.views"

local M = { summary = "send a signed sample: send /github push; send /app invoice.paid; send /in FILE" }

function M.describe(command)
  command:argument("route", "the path to send to, for example /github")
  command:argument("sample", "a sample's name, a file, or - for standard input"):args "?"
  command:option("--set", "change the body first: --set body.amount=5 (any number of times)"):argname "PATH=VALUE":count "*"
  command:option("--header", "one more header: --header 'X-Test: 1'"):argname "LINE":count "*"
  command:flag("--bad-signature", "sign with a wrong secret: the router has to refuse it")
  command:option("--key", "a private key (PEM) to sign with, where the sender has one of its own"):argname "FILE"
  command:flag("--wait", "wait until its deliveries have ended, at most 30 s")
  command:option("--to", "the router's address"):argname "URL"
end

--- Where the running router listens and which folder it runs: it knows best.
local function running(arguments)
  local answer = router.call(arguments, "GET", "/v1/status")
  if not answer or answer.status ~= 200 then
    return nil
  end
  return json.decode(answer.body)
end

local function find_route(routes, path)
  for _, route in ipairs(routes) do
    if native.path_matches(route.path, path) then
      return route
    end
  end
end

local function read_file(name)
  if name == "-" then
    return io.read "*a"
  end
  local file, why = io.open(name, "rb")
  if not file then
    return nil, why
  end
  local text = file:read "*a"
  file:close()
  return text
end

--- The body to send and the event type it stands for.
local function choose_body(route, name)
  local own = samples.of(route.provider)
  local names = samples.names(own)
  name = name or names[1]
  local body = own[name]
  if body then
    return (body:gsub("%%ID%%", native.uuid())), name
  end
  local text, why = read_file(name)
  if text then
    return text, nil
  end
  return nil, ("there is no sample and no file '%s' (%s)%s\n  samples for %s: %s"):format(name, why,
    screen.did_you_mean(name, names), route.path, table.concat(names, ", "))
end

local function typed(text)
  if text == "true" or text == "false" then
    return text == "true"
  elseif text == "null" then
    return views.null
  end
  return tonumber(text) or text
end

local function apply_sets(body, sets)
  local view = views.json.decode(body)
  for _, line in ipairs(sets) do
    local path, value = line:match "^body%.([^=]+)=(.*)$"
    if not path then
      return nil, ("--set %s: write --set body.some.path=value"):format(line)
    end
    view = views.words.set(view, path, typed(value))
  end
  return views.json.encode(view)
end

--- "Name: value" lines as pairs.
local function pairs_of(lines)
  local list = {}
  for i, line in ipairs(lines) do
    local name, value = line:match "^([^:]+):%s*(.-)%s*$"
    list[i] = { name or line, value or "" }
  end
  return list
end

local function header_of(lines, wanted)
  for _, header in ipairs(pairs_of(lines)) do
    if header[1]:lower() == wanted then return header[2] end
  end
end

--- The request, with the headers that make it genuine for this route.
local function make_request(route, arguments, body, event_type)
  local headers = { unpack(arguments.header) }
  local content_type = header_of(headers, "content-type")
  if not content_type then
    content_type = "application/json"
    headers[#headers + 1] = "Content-Type: " .. content_type
  end
  if route.provider == "github" then
    headers[#headers + 1] = "X-GitHub-Event: " .. (event_type or "push")
    headers[#headers + 1] = "X-GitHub-Delivery: " .. native.uuid()
  end
  local key, why
  if arguments.key then
    key, why = read_file(arguments.key)
    if not key then return nil, why end
  end
  local request
  request, why = signing.request(route, body, { path = arguments.route, headers = pairs_of(headers), content_type = content_type,
    private_key = key, bad = arguments.bad_signature })
  if not request then
    return nil, why
  end
  for _, line in ipairs(request.headers) do
    headers[#headers + 1] = line
  end
  request.headers = headers
  return request
end

local open_states = { waiting = true, delivering = true }

local function wait_for(arguments, id)
  for _ = 1, 300 do
    local answer = router.call(arguments, "GET", "/v1/events/" .. id)
    local event = answer and answer.status == 200 and json.decode(answer.body)
    if event and not open_states[event.state] then
      return event
    end
    native.pause(100)
  end
end

local function show_result(event, id)
  if not event then
    screen.fail("not finished after 30 s: tidewire events show " .. id)
    return 1
  end
  for _, delivery in ipairs(event.deliveries) do
    local last = delivery.tries[#delivery.tries]
    print(("%s  → %s  %s"):format(screen.state(delivery.state), delivery.target,
      last and (last.status ~= json.null and ("%d in %d ms"):format(last.status, last.took_ms) or last.error_type) or ""))
  end
  print(screen.state(event.state) .. "  tidewire events show " .. id)
  return event.state == "dead" and 1 or 0
end

function M.run(arguments)
  local status = running(arguments)
  if not status and not arguments.to then
    screen.fail(router.absent(arguments))
    return 4
  end
  local folder = arguments.folder or status and status.folder or "."
  local checked = native.check(folder, false, false)
  if checked.errors > 0 then
    io.stderr:write(checked.text)
    return 3
  end
  local route = find_route(checked.routes, arguments.route)
  if not route then
    local paths = {}
    for i, known in ipairs(checked.routes) do
      paths[i] = known.path
    end
    screen.fail(("no route takes %s%s\n  routes: %s"):format(arguments.route, screen.did_you_mean(arguments.route, paths),
      table.concat(paths, ", ")))
    return 5
  end
  local body, event_type = choose_body(route, arguments.sample)
  if not body then
    screen.fail(event_type)
    return 5
  end
  if #arguments.set > 0 then
    local changed, why = apply_sets(body, arguments.set)
    if not changed then
      screen.fail(why)
      return 2
    end
    body = changed
  end
  local request, why = make_request(route, arguments, body, event_type)
  if not request then
    screen.fail(why)
    return 1
  end
  local base = arguments.to or "http://" .. status.listen[1]
  local answer, problem = native.request {
    url = base .. arguments.route .. (request.query ~= "" and "?" .. request.query or ""), method = route.methods[1],
    headers = request.headers, body = request.body, timeout_ms = 30000,
  }
  if not answer then
    screen.fail(("%s does not answer: %s"):format(base, problem))
    return 4
  end
  if arguments.json then
    print(answer.body)
  else
    print(("%d  %s"):format(answer.status, answer.body:match "^(.-)%s*$"))
  end
  if answer.status >= 300 then
    return 1
  end
  local id = answer.body:match '"id":"([%x-]+)"'
  if arguments.wait and id then
    return show_result(wait_for(arguments, id), id)
  elseif id then
    screen.hint("Next: tidewire events show " .. id)
  end
  return 0
end

return M
