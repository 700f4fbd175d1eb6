--- tidewire send: a signed sample, a file, or standard input to a route of the running router.
-- @module tidewire.cli.send
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local router = require "tidewire.cli.router"
local samples = require "tidewire.samples"
local screen = require "tidewire.cli.screen"
local signed = require "tidewire.cli.signed"

local M = { summary = "send a signed sample: send /github push; send /app invoice.paid; send /in FILE" }

function M.describe(command)
  command:argument("route", "the path to send to, for example /github")
  command:argument("sample", "a sample's name, a file, or - for standard input"):args "?"
  command:option("--set", "change the body first: --set body.amount=5 (any number of times)"):argname "PATH=VALUE":count "*"
  command:option("--header", "one more header: --header 'X-Test: 1'"):argname "LINE":count "*"
  command:option("--key", "a private key (PEM) to sign with, where the sender has one of its own"):argname "FILE"
  command:flag("--bad-signature", "sign with a wrong secret: the router has to refuse it")
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

--- The request to send, not signed yet; nil and why.
local function choose_request(route, name, folder)
  local own, profile = samples.of(route.provider, folder), samples.profile(route.provider, folder)
  local names = samples.names(own)
  name = name or names[1]
  if own[name] then
    return samples.fresh(profile, name, own[name])
  end
  local text, why = read_file(name)
  if text then
    return samples.fresh(profile, names[1], text)
  end
  return nil, ("there is no sample and no file '%s' (%s)%s\n  samples for %s: %s"):format(name, why,
    screen.did_you_mean(name, names), route.path, table.concat(names, ", "))
end

local function header_lines(request)
  local lines = {}
  for i, header in ipairs(request.headers) do
    lines[i] = header[1] .. ": " .. header[2]
  end
  return lines
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

--- Each of these gives what it found, or nil, an exit code and why.

local function choose_route(arguments, folder)
  local checked = native.check(folder, false, false)
  if checked.errors > 0 then
    io.stderr:write(checked.text)
    return nil, 3
  end
  local route = find_route(checked.routes, arguments.route)
  if route then
    return route
  end
  local paths = {}
  for i, known in ipairs(checked.routes) do
    paths[i] = known.path
  end
  return nil, 5, ("no route takes %s%s\n  routes: %s"):format(arguments.route, screen.did_you_mean(arguments.route, paths),
    table.concat(paths, ", "))
end

local function make_request(arguments, route, folder)
  local request, why = choose_request(route, arguments.sample, folder)
  if not request then
    return nil, 5, why
  end
  local changed, mistake = signed.change(request, arguments.set)
  if not changed then
    return nil, 2, mistake
  end
  signed.add_headers(request, arguments.header)
  local key, unread
  if arguments.key then
    key, unread = read_file(arguments.key)
    if not key then
      return nil, 1, unread
    end
  end
  local ok, cannot = signed.sign(route, request, { path = arguments.route, private_key = key, bad = arguments.bad_signature })
  if not ok then
    return nil, 1, cannot
  end
  return request
end

local function send(arguments, route, request, base)
  local answer, problem = native.request {
    url = base .. arguments.route .. (request.query ~= "" and "?" .. request.query or ""), method = route.methods[1],
    headers = header_lines(request), body = request.body, timeout_ms = 30000,
  }
  if not answer then
    return nil, 4, ("%s does not answer: %s"):format(base, problem)
  end
  return answer
end

--- The status and what the answer says; the event's id, where it does not.
local function show_answer(answer)
  local says = answer.body:match "^(.-)%s*$"
  if answer.event_id and not says:find(answer.event_id, 1, true) then
    says = says .. (says ~= "" and "  " or "") .. "event " .. answer.event_id
  end
  print(("%d  %s"):format(answer.status, says))
end

local function failed(code, why)
  if why then
    screen.fail(why)
  end
  return code
end

function M.run(arguments)
  local status = running(arguments)
  if not status and not arguments.to then
    return failed(4, router.absent(arguments))
  end
  local folder = arguments.folder or status and status.folder or "."
  local route, code, why = choose_route(arguments, folder)
  if not route then
    return failed(code, why)
  end
  local request, request_code, mistake = make_request(arguments, route, folder)
  if not request then
    return failed(request_code, mistake)
  end
  local answer, answer_code, problem = send(arguments, route, request, arguments.to or "http://" .. status.listen[1])
  if not answer then
    return failed(answer_code, problem)
  end
  if arguments.json then
    print(answer.body)
  else
    show_answer(answer)
  end
  if answer.status >= 300 then
    return 1
  elseif arguments.wait and answer.event_id then
    return show_result(wait_for(arguments, answer.event_id), answer.event_id)
  elseif answer.event_id then
    screen.hint("Next: tidewire events show " .. answer.event_id)
  end
  return 0
end

return M
