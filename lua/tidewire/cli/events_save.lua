--- tidewire events save ID: a stored event as a sample for tests, rules/samples/NAME.json.
-- @module tidewire.cli.events_save
local json = require "tidewire.cli.json"
local screen = require "tidewire.cli.screen"
local test_native = require "tidewire.test_native"
local views = require "tidewire.views"

local M = {}

local HIDDEN = "(hidden)" -- what the admin API shows of a header that may hold a secret

-- Headers that `feed` makes anew, each time.
local own = {
  host = true, connection = true, ["content-length"] = true, ["transfer-encoding"] = true, date = true, ["webhook-id"] = true,
  ["webhook-timestamp"] = true, ["x-github-delivery"] = true,
}

local function headers_of(event)
  local headers = {}
  for name, value in views.words.pairs(event.headers) do
    if value ~= HIDDEN and not own[name:lower()] then
      headers[name] = value
    end
  end
  return headers
end

--- "body" or "text", and its JSON; or nil and why.
local function body_of(event)
  local body = event.body
  if event.headers == nil then
    return nil, "its body is not kept any more"
  elseif type(body) == "string" and body == ("(%d bytes)"):format(event.body_bytes) then
    return nil, "its body is too large for a sample"
  elseif type(body) == "string" and not (event.content_type or ""):find "json" then
    return "text", json.encode(body)
  end
  return "body", json.encode(body == nil and views.null or body)
end

--- The text of a sample; or nil and why there is none.
-- @param event  of the admin API, decoded
function M.sample_of(event)
  local kind, body = body_of(event)
  if not kind then
    return nil, body
  end
  local lines = { ('  "route": %s'):format(json.encode(event.route)), ('  "method": %s'):format(json.encode(event.method)) }
  if event.type ~= nil then
    lines[#lines + 1] = ('  "type": %s'):format(json.encode(event.type))
  end
  lines[#lines + 1] = ('  "headers": %s'):format(json.encode(headers_of(event)))
  lines[#lines + 1] = ('  "%s": %s'):format(kind, body)
  return "{\n" .. table.concat(lines, ",\n") .. "\n}\n"
end

local function default_name(event)
  local what = event.type or event.route:match "([^/:*]+)[^/]*$" or "event"
  return (("%s-%s"):format(what, event.id:sub(-6)):gsub("[^%w._-]", "-"))
end

local function exists(name)
  local file = io.open(name, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- @tparam string text  JSON of the admin API
-- @tparam string folder  the one given to `run`
-- @tparam ?string name
-- @treturn number  exit code
function M.save(text, folder, name)
  local event = views.json.decode(text)
  local sample, why = M.sample_of(event)
  if not sample then
    screen.fail(("event %s cannot be saved: %s"):format(event.id, why))
    return 1
  end
  local path, file = test_native.samples_folder(folder)
  if path then
    path = ("%s/%s.json"):format(path, name or default_name(event))
    if exists(path) then
      screen.fail(path .. " is there already: choose another --name")
      return 1
    end
    file, why = io.open(path, "wb")
  else
    why = file
  end
  if not path or not file then
    screen.fail(tostring(why))
    return 1
  end
  file:write(sample)
  file:close()
  print(path)
  screen.hint(("Next: feed(%q, sample.saved[%q])"):format(event.path, path:match "([^/]+)%.json$"))
  return 0
end

return M
