--- The words of handlers: send and the ends, log, sleep. Checked here, noted in C (core/script/plan.c).
-- @module tidewire.actions
local faults = require "tidewire.faults"
local made_bodies = require "tidewire.made_bodies"
local native = require "tidewire.actions_native"
local suggest = require "tidewire.suggest"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}

local type, next, rawget, getmetatable = type, next, rawget, getmetatable
local type_of, text_of = views.words.type, views.words.tostring

-- ---- faults ----

local quoted, got, fault, milliseconds = faults.quoted, faults.got, faults.fault, faults.milliseconds

--- What to write for a value that is no text, for the end of a message.
local function instead(value)
  local kind = type_of(value)
  if kind == "number" and type(value) == "number" and value - value ~= 0 then
    return ": leave it out"
  elseif kind == "number" then
    return ": write tostring(…)"
  elseif kind == "table" then
    return ": name a field of it, or write json.encode(…)"
  elseif kind == "secret" then
    return ": a secret goes into headers, json, form, xml, text, body or the target's url"
  end
  return ": leave it out, or write text"
end

local function want_text(word, value, what, example)
  if type(value) ~= "string" then
    fault("%s: %s is text such as \"%s\", got %s%s", word, what, example, got(value), instead(value))
  end
end

local function want_plain(word, value, what, example)
  if type(value) ~= "table" then
    fault("%s: %s is a table such as %s, got %s", word, what, example, got(value))
  elseif getmetatable(value) ~= nil then
    fault("%s: %s is a plain table such as %s, and this one has a metatable, which is not looked at", word, what, example)
  end
end

-- ---- messages ----

local PATH_MAX, QUERY_MAX, NAME_MAX, VALUE_MAX, TYPE_MAX = 8192, 8192, 256, 8192, 256
local CONTROL = "[%z\1-\31\127]"

local bodies = { json = true, form = true, xml = true, text = true, body = true, cloudevent = true }
local options = { "json", "form", "xml", "cloudevent", "text", "body", "content_type", "headers", "path", "query", "method",
  "id", "key", "delay", "at" }
local methods = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }

local known = {}
for _, name in ipairs(options) do
  known[name] = true
end

local function check_options(message)
  local body
  for name in next, message do
    if type(name) ~= "string" then
      fault("send: a message has no place for %s: write { json = … }", got(name))
    elseif not known[name] then
      fault("send: a message has no %s%s", quoted(name), suggest.hint(name, options))
    elseif bodies[name] then
      if body then
        fault("send: a message has one body, not both %s and %s", body, name)
      end
      body = name
    end
  end
  return body
end

-- ---- where to: path and query ----

--- Does a receiver that undoes the escapes first, takes '\' for '/', or cuts at ';', see a part that walks up?
local function walks(path)
  local plain = path:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  for part in plain:gmatch "[^/\\]+" do
    part = part:match "^[^;]*"
    if part == "." or part == ".." then
      return true
    end
  end
  return false
end

--- Every part of a path escaped; what is escaped already stays.
local function escape_path(path)
  return (path:gsub("%%(%x%x)", "\0%1"):gsub("[^%w%-%._~/!$&'()*+,;=:@%z]", function(c)
    return ("%%%02X"):format(c:byte())
  end):gsub("%z", "%%"))
end

local function make_path(path)
  want_text("send", path, "path", "/orders/7")
  if path:find(CONTROL) then
    fault("send: path has a line end or another control byte in it: %s; url.escape makes a part of a path of any text",
      quoted(path))
  elseif path:find "[?#]" then
    fault("send: a path has no '?' and no '#': put the query into query = { … }, or escape it with url.escape")
  elseif walks(path) then
    fault("send: '.' and '..' in a path are refused, escaped ones too: %s", quoted(path))
  end
  local escaped = escape_path(path)
  if #escaped > PATH_MAX then
    fault("send: path is %d bytes long, at most %d: send what is long in the body", #escaped, PATH_MAX)
  end
  return escaped
end

--- A value of a query or header: numbers with the shortest digits that read back equal, as in JSON.
local function scalar_text(word, value, what)
  local kind = type_of(value)
  if kind == "string" then
    return value
  elseif kind == "boolean" or kind == "number" and type(value) ~= "number" then
    return text_of(value)
  elseif kind == "number" and value == value and value ~= math.huge and value ~= -math.huge then
    return views.json.encode(value)
  end
  fault("%s: %s has to be text, a number or a boolean, got %s%s", word, what, got(value), instead(value))
end

local function escape_query(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function make_query(query)
  want_plain("send", query, "query", "{ page = 2 }")
  local names, parts, bytes = {}, {}, 0
  for name in next, query do
    if type(name) ~= "string" then
      fault("send: query is a table of names and values such as { page = 2 }, got %s as a name", got(name))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = escape_query(name) .. "=" .. escape_query(scalar_text("send", query[name], "query." .. quoted(name):sub(2, -2)))
    bytes = bytes + #parts[i] + 1
    if bytes > QUERY_MAX then
      fault("send: query is longer than %d bytes: send what is long in the body", QUERY_MAX)
    end
  end
  return table.concat(parts, "&")
end

-- ---- headers ----

-- What frames a message or belongs to a connection; host: the target's URL says it.
local ours = { host = true, ["content-length"] = true, ["transfer-encoding"] = true, connection = true, te = true,
  upgrade = true, trailer = true, expect = true, ["keep-alive"] = true, ["proxy-connection"] = true }

--- The value as text or secret; of a secret joined with text, that text is looked at too.
local function header_value(word, name, value)
  local is_secret, text = false, value
  if type(value) ~= "string" then
    is_secret = type_of(value) == "secret"
    text = is_secret and text_of(value) or scalar_text(word, value, ("the header '%s'"):format(name))
  end
  if not native.is_header_value(text) then
    fault("%s: the header '%s' has a line end or another control byte in it: %s", word, name,
      is_secret and "a secret joined with it" or quoted(text))
  elseif #text > VALUE_MAX then
    fault("%s: the header '%s' is %d bytes long, at most %d: send what is long in the body", word, name, #text, VALUE_MAX)
  end
  return is_secret and value or text
end

local function check_header_name(word, name, seen)
  if type(name) ~= "string" or #name > NAME_MAX or not native.is_header_name(name) then
    fault("%s: %s is not a header name: write headers = { [\"X-Id\"] = … }", word, got(name))
  end
  local lower = name:lower()
  if ours[lower] then
    fault("%s: the header '%s' is made by tidewire itself: leave it out", word, name)
  elseif seen[lower] then
    fault("%s: the header '%s' is there twice: the case of its letters does not count", word, name)
  end
  seen[lower] = true
end

local HEADERS_MAX = 64 -- as MESSAGE_HEADERS_MAX of core/model/message.h

--- @treturn {string|secret,...}  name, value, name, value …
local function make_headers(word, headers, most)
  want_plain(word, headers, "headers", "{ [\"X-Id\"] = \"7\" }")
  local names, list, seen = {}, {}, {}
  for name in next, headers do
    check_header_name(word, name, seen)
    names[#names + 1] = name
    if #names > most then
      fault("%s: at most %d headers", word, most)
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[2 * i - 1], list[2 * i] = name, header_value(word, name, headers[name])
  end
  return list
end

-- ---- the rest of a message ----

local function check_id(id)
  if type(id) ~= "string" or #id == 0 or #id > 256 or id:find "[^!-~]" or id:find("%.", 1) then
    fault("send: id is text of 1 to 256 visible ASCII characters without '.', got %s%s", got(id),
      type(id) == "string" and "" or instead(id))
  end
  return id
end

local function check_method(method)
  if type(method) ~= "string" or not methods[method] then
    local upper = type(method) == "string" and #method < 10 and method:upper()
    fault("send: method %s is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS%s", got(method),
      methods[upper] and (": write \"%s\""):format(upper) or "")
  end
  return method
end

local function check_content_type(word, value)
  want_text(word, value, "content_type", "text/plain")
  if #value > TYPE_MAX or not value:find "^[%w!#$&^_.+%-]+/[%w!#$&^_.+%-]+[ -~]*$" then
    fault("%s: content_type is text such as \"text/plain\", without line ends and at most %d bytes, got %s", word, TYPE_MAX,
      quoted(value))
  end
  return value
end

local function check_body(value, what)
  local kind = type_of(value)
  if kind ~= "string" and kind ~= "secret" then
    fault("send: %s has to be a string, got %s%s", what, got(value), kind == "table" and ": write json = … for tables"
      or kind == "event" and ": write send(target, event)" or instead(value))
  end
  return value
end

local default_types = { json = "application/json", text = "text/plain; charset=utf-8", body = "application/octet-stream" }

local key_of = require("tidewire.order").reader { fault = fault, scalar_text = scalar_text }

--- What native.send takes after the name, without a table for it. Most messages have but a body.
-- @param to  where it goes, for its order; nil: nowhere that has one
local function parts_of(message, to)
  want_plain("send", message, "a message", "{ json = … }")
  local body = check_options(message)
  local value, content_type, headers, path, query, method, id, delay, at = nil, default_types[body]
  if body == "json" then
    value = message.json
  elseif made_bodies[body] then
    local why
    body, value, content_type, why = made_bodies[body](message[body])
    if why then fault("send: %s", why) end
  elseif body then
    value = check_body(message[body], body)
  end
  if message.content_type ~= nil then content_type = check_content_type("send", message.content_type) end
  if message.headers ~= nil then headers = make_headers("send", message.headers, HEADERS_MAX) end
  if message.path ~= nil then path = make_path(message.path) end
  if message.query ~= nil then query = make_query(message.query) end
  if message.method ~= nil then method = check_method(message.method) end
  if message.id ~= nil then id = check_id(message.id) end
  if message.at ~= nil and message.delay ~= nil then
    fault("send: a message has delay or at, not both")
  end
  if message.at ~= nil then at = faults.moment("send: at", message.at) end
  if message.delay ~= nil then delay = milliseconds("send: delay", message.delay) end
  local key = to and key_of(to, message, false)
  return body or "none", value, content_type, headers, path, query, method, id, key, delay, at
end

-- ---- targets ----

local function name_of(target, place)
  local name = values.target_name(target)
  if name then
    return name
  end
  local where = place and (" at place %d of the list"):format(place) or ""
  if type(target) == "string" then
    fault("send wants the value from `target`, not its name%s: write local a = target \"a\" { … } and send(a, …)", where)
  end
  fault("send wants the value from `target`, got %s%s", got(target), where)
end

--- One name, or a list of them. Every key is looked at, by next: a nil among them would end the list early, and some would get
-- nothing.
local function names_of(to)
  if type(to) ~= "table" then
    return name_of(to)
  end
  local names, count = {}, 0
  for place in next, to do
    if type(place) ~= "number" then
      fault("send wants the value from `target`, or a list of them, got a table with %s as a key", got(place))
    end
    count = count + 1
  end
  if count == 0 then
    fault("send wants the value from `target`, or a list of them: the list of targets is empty")
  end
  for i = 1, count do
    local target = rawget(to, i)
    if target == nil then
      fault("send: the list of targets has a hole: place %d is nil", i)
    end
    names[i] = name_of(target, i)
  end
  return names
end

--- Notes one message for one target, or for each of a list: all of them or, when anything is wrong, none.
function M.send(to, message, ...)
  native.need_handler "send()"
  if select("#", ...) > 0 then
    fault("send takes a target and one message: for several targets write send({ a, b }, message)")
  end
  local names = names_of(to)
  if message == nil then
    fault("send wants a message: send(target, event), or send(target, { json = … })")
  end
  if native.is_event(message) then
    native.send(names, "event", nil, nil, nil, nil, nil, nil, nil, key_of(to, message, true))
  elseif type(message) == "table" then
    native.send(names, parts_of(message, to))
  else
    fault("send wants an event or a table such as { json = … }, got %s%s", got(message),
      type_of(message) == "table" and ": write { json = … } around it" or "")
  end
end

-- ---- ends and waits ----

local function reason_text(word, reason)
  if reason == nil then
    return word
  end
  if type(reason) ~= "string" then
    fault("%s wants a reason as text, got %s%s", word, got(reason), instead(reason))
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

--- Ends the handler: its sender, who waits, is answered so.
M.respond = require("tidewire.respond").word {
  fault = fault, got = got, quoted = quoted, instead = instead, want_plain = want_plain, make_headers = make_headers,
  check_content_type = check_content_type, default_types = default_types,
}

--- Ends the handler: it is tried again later.
function M.retry(reason, how)
  local after = faults.option("retry", how, "after", '"20s"')
  return native.finish("retry", reason_text("retry", reason), how and milliseconds("retry: after", after) or 0)
end

--- Waits; other events are handled meanwhile.
function M.sleep(duration)
  native.finish("sleep", milliseconds("sleep", duration))
end

-- ---- log ----

local function logged_text(word, value)
  local ok, text = pcall(text_of, value)
  if not ok or type(text) ~= "string" then
    fault("%s: the value cannot be made text: %s", word, ok and "its __tostring gives " .. got(text) or got(text))
  end
  return text
end

local function logger(level)
  local word = "log." .. level
  return function(message, fields)
    if fields ~= nil and type_of(fields) ~= "table" then
      fault("%s: fields is a table such as { id = 7 }, got %s", word, got(fields))
    elseif type_of(message) == "secret" then
      fault("%s: a secret cannot be logged", word)
    end
    native.log(level, logged_text(word, message), fields)
  end
end

M.log = { debug = logger "debug", info = logger "info", warn = logger "warn", error = logger "error" }

--- print(…): one line of level info.
function M.print(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = logged_text("print", (select(i, ...)))
  end
  M.log.info(table.concat(parts, "\t"))
end

--- words: what rules have by these names; the rest is for http.lua, which checks in the same way.
return { words = M, parts_of = parts_of, fault = fault, got = got, milliseconds = milliseconds }
