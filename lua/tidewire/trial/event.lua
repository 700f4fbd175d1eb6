--- `event` of the prompt: a table with the fields that a rule's event has, out of a request that no router has seen.
-- @module tidewire.trial.event
local form = require "tidewire.form"
local names = require("tidewire.event").fields
local requests = require "tidewire.trial.request"
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"
local xml = require "tidewire.xml"

local M = {}

local get = views.words.get

--- What ":name" and "*rest" of a route's pattern stand for.
local function params_of(pattern, path)
  local params, parts = {}, {}
  for part in path:gmatch "[^/]+" do
    parts[#parts + 1] = part
  end
  local i = 0
  for part in pattern:gmatch "[^/]+" do
    i = i + 1
    local kind, name = part:match "^([:*])(.+)$"
    if kind then
      params[name] = kind == ":" and parts[i] or table.concat(parts, "/", i)
    end
  end
  return params
end

--- What is badly made stays a text.
local function decoded(decode, text)
  local ok, value = pcall(decode, text)
  return ok and value or text
end

--- The body as a rule of a route without `content` sees it.
local function body_of(text, content_type)
  local kind = (content_type or ""):match "^[^;]*":lower()
  if text == "" then
    return nil
  elseif kind:find "json$" then
    return decoded(views.json.decode, text)
  elseif kind == "application/x-www-form-urlencoded" then
    return decoded(form.decode, text)
  elseif kind:find "[/+]xml$" then
    return decoded(xml.decode, text)
  end
  return text
end

local methods = {}

function methods.get(event, path, default)
  return get(event, path, default)
end

function methods.all(event, path)
  local value = get(event, path)
  return value == nil and {} or { value }
end

local known = {}
for _, name in ipairs(names) do
  known[name] = true
end

local event_meta = { __index = function(_, name)
  if not known[name] then
    error(("event has no field '%s'%s"):format(tostring(name), suggest.hint(name, names)), 0)
  end
  return methods[name]
end }

local function header_lines(headers)
  local lines = {}
  for name, value in pairs(headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  return lines
end

--- @tparam table subject  of cli/subjects.lua
-- @tparam {table,...} routes  of native.check
-- @treturn table  fields that the request does not tell are nil
function M.of(subject, routes)
  local request, route = subject.request, requests.route_of(routes, subject.path)
  local headers = requests.headers(header_lines(request.headers))
  local content_type = request.content_type or headers["content-type"]
  return setmetatable({
    id = subject.id, route = route and route.path or subject.path, type = request.type, provider = route and route.provider,
    verified = subject.verified and subject.verified.by, received_at = subject.verified and subject.verified.at,
    method = request.method or "POST", path = subject.path, params = route and params_of(route.path, subject.path) or {},
    query = form.decode(request.query or ""), headers = headers, content_type = content_type, raw = request.body,
    body = body_of(request.body, content_type), remote_ip = request.remote_ip, attempt = 0,
  }, event_meta)
end

return M
