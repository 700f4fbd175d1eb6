--- The words of handlers: send and the ends, log, sleep. Checked here, noted in C (core/script/plan.c).
-- @module tidewire.actions
local native = require "tidewire.actions_native"
local suggest = require "tidewire.suggest"
local units = require "tidewire.units"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}

local type_of = views.words.type

-- ---- messages ----

local bodies = { json = true, text = true, body = true }
local options = { "json", "text", "body", "content_type", "headers", "path", "query", "method", "id" }
local later = { form = true, xml = true, cloudevent = true, key = true, delay = true, at = true }
local methods = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }

local known = {}
for _, name in ipairs(options) do
  known[name] = true
end

local function check_options(message)
  local body
  for name in pairs(message) do
    if later[name] then
      error(("send: '%s' in a message comes with a later version"):format(name), 3)
    elseif not known[name] then
      error(("send: a message has no '%s'%s"):format(tostring(name), suggest.hint(name, options)), 3)
    elseif bodies[name] then
      if body then
        error(("send: a message has one body, not both %s and %s"):format(body, name), 3)
      end
      body = name
    end
  end
  return body
end

--- Every part of a path escaped; what is escaped already stays. nil and why when a part walks up.
local function escape_path(path)
  for part in path:gmatch "[^/]+" do
    if part == "." or part == ".." or part:gsub("%%2[eE]", "."):find "^%.%.?$" then
      return nil, "'.' and '..' in a path are refused"
    end
  end
  if path:find "[?#]" then
    return nil, "a path has no '?' and no '#': put the query into query = { … }, or escape it with url.escape"
  end
  local escaped = path:gsub("%%(%x%x)", "\0%1"):gsub("[^%w%-%._~/!$&'()*+,;=:@%z]", function(c)
    return ("%%%02X"):format(c:byte())
  end):gsub("%z", "%%")
  return escaped
end

local function escape_query(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function scalar_text(value, what)
  local kind = type_of(value)
  if kind == "string" or kind == "number" or kind == "boolean" then
    return views.words.tostring(value)
  end
  error(("send: %s has to be text or a number, not a %s"):format(what, kind), 4)
end

local function make_query(query)
  if type(query) ~= "table" then
    error("send: query is a table of names and values", 4)
  end
  local names, parts = {}, {}
  for name in pairs(query) do
    if type(name) ~= "string" then
      error("send: query is a table of names and values", 4)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = escape_query(name) .. "=" .. escape_query(scalar_text(query[name], "query." .. name))
  end
  return table.concat(parts, "&")
end

local function header_value(name, value)
  if type_of(value) == "secret" then
    return value
  end
  local text = scalar_text(value, ("the header '%s'"):format(name))
  if text:find "[\r\n%z]" then
    error(("send: the header '%s' has a line end or a zero byte in it"):format(name), 4)
  end
  return text
end

local function make_headers(headers)
  if type(headers) ~= "table" then
    error("send: headers is a table of names and values", 4)
  end
  local names, list = {}, {}
  for name in pairs(headers) do
    if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+%-.^_`|~]+$" then
      error(("send: '%s' is not a header name"):format(tostring(name)), 4)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[i] = { name, header_value(name, headers[name]) }
  end
  return list
end

local function check_id(id)
  if type(id) ~= "string" or #id == 0 or #id > 256 or id:find "[^!-~]" or id:find("%.", 1) then
    error("send: id is 1 to 256 visible ASCII characters without '.'", 4)
  end
  return id
end

local function check_method(method)
  if type(method) ~= "string" or not methods[method] then
    error(("send: method '%s' is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"):format(tostring(method)), 4)
  end
  return method
end

local function check_path(path)
  if type(path) ~= "string" then
    error("send: path is text", 4)
  end
  local escaped, why = escape_path(path)
  if not escaped then
    error("send: " .. why, 4)
  end
  return escaped
end

local function check_text(value, what)
  local kind = type_of(value)
  if kind ~= "string" and kind ~= "secret" then
    error(("send: %s is text, got %s"):format(what, kind), 4)
  end
  return value
end

local function fill_body(noted, message, body)
  if body == "json" then
    noted.kind, noted.value = "json", message.json
    noted.content_type = message.content_type or "application/json"
  elseif body == "text" then
    noted.kind, noted.value = "text", check_text(message.text, "text")
    noted.content_type = message.content_type or "text/plain; charset=utf-8"
  elseif body == "body" then
    noted.kind, noted.value = "body", check_text(message.body, "body")
    noted.content_type = message.content_type or "application/octet-stream"
  else
    noted.kind, noted.value = "body", ""
    noted.content_type = message.content_type
  end
  if noted.content_type ~= nil and (type(noted.content_type) ~= "string" or noted.content_type:find "[\r\n%z]") then
    error("send: content_type is text without line ends", 4)
  end
end

local function make_message(message)
  local body = check_options(message)
  local noted = { headers = {} }
  fill_body(noted, message, body)
  if message.headers ~= nil then noted.headers = make_headers(message.headers) end
  if message.path ~= nil then noted.path = check_path(message.path) end
  if message.query ~= nil then noted.query = make_query(message.query) end
  if message.method ~= nil then noted.method = check_method(message.method) end
  if message.id ~= nil then noted.id = check_id(message.id) end
  return noted
end

-- ---- targets ----

local function name_of(target)
  local name = values.target_name(target)
  if name then
    return name
  end
  if type(target) == "string" then
    error("send wants the value from `target`, not its name", 4)
  end
  error(("send wants the value from `target`, got %s"):format(target == nil and "nil" or "a " .. type_of(target)), 4)
end

local function names_of(to)
  if type(to) ~= "table" then
    return { name_of(to) }
  end
  local names = {}
  for i, target in ipairs(to) do
    names[i] = name_of(target)
  end
  if #names == 0 then
    error("send: the list of targets is empty", 3)
  end
  return names
end

--- Notes one message for one target, or for each of a list.
function M.send(to, message, ...)
  if select("#", ...) > 0 then
    error("send takes a target and one message", 2)
  end
  local names = names_of(to)
  if message == nil then
    error("send wants a message: send(target, event), or send(target, { json = … })", 2)
  end
  if native.is_event(message) then
    native.send(names, { kind = "event", headers = {} })
  elseif type(message) == "table" then
    native.send(names, make_message(message))
  else
    error(("send wants an event or a table such as { json = … }, got a %s"):format(type_of(message)), 2)
  end
end

-- ---- ends and waits ----

local function reason_text(word, reason)
  if reason == nil then
    return word
  end
  if type(reason) ~= "string" then
    error(("%s wants a reason as text, got a %s"):format(word, type_of(reason)), 3)
  end
  return reason
end

--- Ends the handler: the event is wanted by nobody.
function M.drop(reason)
  return native.finish("drop", reason_text("drop", reason))
end

--- Ends the handler: the event is dead at once.
function M.fail(reason)
  return native.finish("fail", reason_text("fail", reason))
end

--- Ends the handler: it is tried again later.
function M.retry(reason, how)
  local after_ms = 0
  if how ~= nil then
    if type(how) ~= "table" then
      error("retry wants { after = \"20s\" } as its second argument", 2)
    end
    for name in pairs(how) do
      if name ~= "after" then
        error(("retry has no option '%s'%s"):format(tostring(name), suggest.hint(name, { "after" })), 2)
      end
    end
    local why
    after_ms, why = units.duration(how.after)
    if not after_ms then
      error("retry: after: " .. why, 2)
    end
  end
  return native.finish("retry", reason_text("retry", reason), after_ms)
end

--- Waits; other events are handled meanwhile.
function M.sleep(duration)
  local ms, why = units.duration(duration)
  if not ms then
    error("sleep: " .. why, 2)
  end
  native.finish("sleep", ms)
end

-- ---- log ----

local function logger(level)
  return function(message, fields)
    local text = type(message) == "string" and message or views.words.tostring(message)
    if type_of(message) == "secret" then
      error(("log.%s: a secret cannot be logged"):format(level), 2)
    end
    native.log(level, text, fields)
  end
end

local log = { debug = logger "debug", info = logger "info", warn = logger "warn", error = logger "error" }

M.log = setmetatable({}, {
  __index = function(_, name)
    return log[name] or error(("there is no log.%s%s"):format(tostring(name), suggest.hint(name, suggest.names_of(log))), 2)
  end,
  __newindex = function()
    error("log cannot be changed", 2)
  end,
  __metatable = false,
})

--- print(…): one line of level info.
function M.print(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = views.words.tostring((select(i, ...)))
  end
  log.info(table.concat(parts, "\t"))
end

return M
