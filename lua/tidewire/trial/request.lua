--- The requests that `feed` sends, and the answers it gets: bytes of HTTP.
-- @module tidewire.trial.request
local form = require "tidewire.form"
local native = require "tidewire.native"
local samples = require "tidewire.samples"
local signed = require "tidewire.cli.signed"
local signing = require "tidewire.cli.signing"
local suggest = require "tidewire.suggest"
local trial = require "tidewire.trial_native"
local views = require "tidewire.views"

local M = {}

local fields = { json = true, form = true, text = true, body = true, content_type = true, headers = true, method = true,
  query = true, remote_ip = true, sign_with = true, type = true,
  fresh = true, changes = true }
local field_names = suggest.names_of(fields)

--- The route that takes a path: one of the same text, else the first whose pattern takes it.
function M.route_of(routes, path)
  for _, route in ipairs(routes) do
    if route.path == path then
      return route
    end
  end
  for _, route in ipairs(routes) do
    if native.path_matches(route.path, path) then
      return route
    end
  end
end

-- ---- the parts of a request ----

local function check_fields(request)
  for name in pairs(request) do
    if not fields[name] then
      error(("feed: a request has no field '%s'%s"):format(tostring(name), suggest.hint(name, field_names)), 0)
    end
  end
end

--- A sample made anew, with the changes of its body: of JSON merged, of a form name by name.
local function fresh_of(request)
  local made = request.fresh()
  for i = #request.changes, 1, -1 do
    local change = request.changes[i]
    if made.content_type:find "^application/x%-www%-form" then
      for _, name in ipairs(suggest.names_of(change)) do
        signed.change(made, { ("body.%s=%s"):format(name, tostring(change[name])) })
      end
    else
      made.body = views.json.encode(views.words.merge(views.json.decode(made.body), change))
    end
  end
  return { body = request.body or made.body, content_type = made.content_type, headers = made.headers }
end

--- { body, content_type or nil, headers: by which the route's provider knows type and delivery }
local function content_of(request, route, folder)
  if request.fresh then
    return fresh_of(request)
  end
  local made = { body = request.body or "", headers = {} }
  if request.json ~= nil then
    made.body, made.content_type = views.json.encode(request.json), "application/json"
  elseif request.form ~= nil then
    made.body, made.content_type = form.encode(request.form), "application/x-www-form-urlencoded"
  elseif request.text ~= nil then
    made.body, made.content_type = tostring(request.text), "text/plain; charset=utf-8"
  end
  local says_all = (request.content_type or ""):find("^application/cloudevents") -- its type and id stand in the body
  if route and route.provider ~= "" and not says_all then
    local own = samples.of(route.provider, folder)
    made.headers = samples.fresh(samples.profile(route.provider, folder), request.type or samples.names(own)[1], "").headers
    table.remove(made.headers, 1) -- its content type
  end
  return made
end

local function escaped(text)
  return (tostring(text):gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function with_query(path, query)
  if not query then
    return path
  elseif type(query) == "string" then
    return path .. "?" .. query
  end
  local parts = {}
  for _, name in ipairs(suggest.names_of(query)) do
    parts[#parts + 1] = escaped(name) .. "=" .. escaped(query[name])
  end
  return path .. (path:find("?", 1, true) and "&" or "?") .. table.concat(parts, "&")
end

--- The private key of the sender of a route, who signs with one of its own.
local function sender_key(route)
  return route.verify.scheme == "rsa" and trial.key() or trial.secret("private key of " .. route.path)
end

--- The keys that sign: those of the rules, or what `sign_with` says: a secret, or a private key (PEM).
local function keys_for(route, request)
  local own = request.sign_with
  if not route.verify.by_key then
    return { bad = own ~= nil, secret = own }
  end
  local is_key = own and own:find("PRIVATE KEY", 1, true)
  return { bad = own ~= nil and not is_key, private_key = is_key and own or sender_key(route) }
end

--- What the sender of the route would have made of it: header lines, body and query.
local function sign(route, request, made)
  if not route or request.sign_with == false then
    return { headers = {}, body = made.body, query = made.query }
  end
  local keys = keys_for(route, request)
  local made_genuine, why = signing.request(route, made.body, { path = made.path, query = made.query, headers = made.headers,
    content_type = made.content_type or "", private_key = keys.private_key, bad = keys.bad, secret = keys.secret,
    value_of = trial.secret, now = math.floor(trial.now() / 1000) })
  if not made_genuine then
    error(("feed: %s cannot be signed: %s"):format(route.path, why), 0)
  end
  return made_genuine
end

--- Headers in the order they are added; a name that is there already is not added again, one that is false never.
local function header_list()
  local list, known = {}, {}
  return list, function(name, value)
    if known[name:lower()] or value == false then
      known[name:lower()] = true
      return
    end
    if (name .. tostring(value)):find "[\r\n%z]" then
      error(("feed: the header %s has a line end in it"):format(name), 0)
    end
    known[name:lower()] = true
    list[#list + 1] = { name, tostring(value) }
  end
end

local function add_headers(add, request, route, content)
  for _, name in ipairs(suggest.names_of(request.headers or {})) do
    add(name, request.headers[name])
  end
  add("Host", route and route.host or "localhost")
  add("Connection", "close")
  if request.content_type or content.content_type then
    add("Content-Type", request.content_type or content.content_type)
  end
end

local function both(first, second)
  local list = { unpack(first) }
  for _, header in ipairs(second) do
    list[#list + 1] = header
  end
  return list
end

--- @tparam table rules  of native.check, with `folder`
-- @tparam string path  may have a query
-- @tparam table request  as `feed` takes it
-- @treturn string  the whole request
function M.build(rules, path, request)
  check_fields(request)
  local plain, query = with_query(path, request.query):match "^([^?]*)%??(.*)$"
  local route = M.route_of(rules.routes, plain)
  local content = content_of(request, route, rules.folder)
  local headers, add = header_list()
  add_headers(add, request, route, content)
  local made = sign(route, request, { path = plain, query = query, body = content.body, headers = both(headers, content.headers),
    content_type = request.content_type or content.content_type })
  for _, line in ipairs(made.headers) do
    add(line:match "^([^:]+):%s*(.-)%s*$")
  end
  for _, header in ipairs(content.headers) do -- the signature's own id wins
    add(header[1], header[2])
  end
  add("Content-Length", #made.body)
  local lines = {}
  for i, header in ipairs(headers) do
    lines[i] = header[1] .. ": " .. header[2]
  end
  return ("%s %s%s HTTP/1.1\r\n%s\r\n\r\n%s"):format(request.method or route and route.methods[1] or "POST", plain,
    made.query ~= "" and "?" .. made.query or "", table.concat(lines, "\r\n"), made.body)
end

-- ---- the answer ----

local case_blind = {
  __index = function(headers, name)
    return rawget(headers, tostring(name):lower())
  end,
}

--- Headers whose names are found in any letter case.
-- @tparam {string,...} lines  "Name: value"
function M.headers(lines)
  local headers = {}
  for _, line in ipairs(lines) do
    local name, value = line:match "^([^:;]+)[:;]%s*(.-)%s*$"
    if name then
      headers[name:lower()] = value
    end
  end
  return setmetatable(headers, case_blind)
end

--- The JSON of a text, or nil.
function M.json_of(text)
  local ok, value = pcall(views.json.decode, text)
  return ok and text ~= "" and value or nil
end

--- @treturn table  { status, headers, body, text, json }
function M.parse(bytes)
  local status, head, body = bytes:match "^HTTP/1%.1 (%d+)[^\r\n]*\r\n(.-)\r\n\r\n(.*)$"
  local lines = {}
  for line in ((head or "") .. "\r\n"):gmatch "(.-)\r\n" do
    lines[#lines + 1] = line
  end
  body = body or ""
  return { status = tonumber(status), headers = M.headers(lines), body = body, text = body, json = M.json_of(body) }
end

return M
