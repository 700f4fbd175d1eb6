--- The event that a command is about: a stored one, a saved sample, or a body with a path.
-- @module tidewire.cli.subjects
local events_save = require "tidewire.cli.events_save"
local requests = require "tidewire.trial.request"
local sample = require "tidewire.trial.sample"
local screen = require "tidewire.cli.screen"
local stored = require "tidewire.cli.stored"
local views = require "tidewire.views"

local M = {}

local HIDDEN = "(hidden)"

local function hidden_headers(event)
  local names = {}
  for name, value in views.words.pairs(event.headers) do
    if value == HIDDEN then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function of_event(arguments, id)
  local text, code = stored.event(arguments, id)
  if not text then
    return nil, code
  end
  local event = views.json.decode(text)
  local saved, why = events_save.sample_of(event)
  if not saved then
    screen.fail(("event %s cannot be taken: %s"):format(event.id, why))
    return nil, 1
  end
  local request = sample.read(saved)
  request.remote_ip = event.remote_ip
  return { id = event.id, path = arguments.route or event.path, request = request, missing = hidden_headers(event),
    verified = { by = event.verified, at = event.received_at } }
end

local function of_file(arguments, name, text)
  local value = requests.json_of(text)
  if type(value) == "userdata" and type(value.route) == "string" and value.headers ~= nil then
    return { path = arguments.route or value.route, request = sample.read(text) }
  elseif not arguments.route then
    screen.fail(("%s is a body: say where it is sent, --route PATH"):format(name))
    return nil, 2
  end
  local content_type = value ~= nil and "application/json" or "text/plain; charset=utf-8"
  return { path = arguments.route, request = { body = text, content_type = content_type, type = arguments.type } }
end

--- A file if there is one of that name, else an event.
-- @tparam table arguments  parsed: route, type; and of stored.event
-- @tparam string what
-- @treturn table|nil  { path, request: as `feed` takes it; of a stored event also id, verified: { by, at }, missing: its hidden
-- headers }; or nil and the exit code, when what was wrong is said
function M.of(arguments, what)
  local file = io.open(what, "rb")
  local text = file and file:read "*a" -- nil of a folder
  if file then
    file:close()
  end
  if text then
    return of_file(arguments, what, text)
  elseif not what:find "^%x+%-%x+%-%x+%-%x+%-%x+$" then
    screen.fail(("there is no file %s, and an event has an id as `tidewire events` prints it"):format(what))
    return nil, 5
  end
  return of_event(arguments, what)
end

return M
