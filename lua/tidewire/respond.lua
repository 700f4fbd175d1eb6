--- respond(status, message): what a handler answers its sender. Checked here, noted in C (core/script/plan.c).
-- @module tidewire.respond
local form = require "tidewire.form"
local native = require "tidewire.actions_native"
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"
local xml = require "tidewire.xml"

local M = {}

local type_of = views.words.type

local HEADERS_MAX = 16 -- the answer has some of its own
local options = { "json", "form", "xml", "text", "body", "content_type", "headers" }
local bodies = { json = true, form = true, xml = true, text = true, body = true }
local made = { -- as text
  form = form.encode,
  xml = function(node) return '<?xml version="1.0" encoding="UTF-8"?>\n' .. xml.encode(node) end,
}
local made_types = { form = "application/x-www-form-urlencoded", xml = "application/xml; charset=utf-8" }
local without_body = { [204] = true, [205] = true, [304] = true }
-- What tidewire says itself, beside what frames an answer.
local ours = { date = true, ["tidewire-event-id"] = true, ["tidewire-duplicate"] = true }

local known = {}
for _, name in ipairs(options) do
  known[name] = true
end

--- @tparam table checks  what send looks at in the same way, of actions.lua
-- @treturn function  the word
function M.word(checks)
  local fault, got = checks.fault, checks.got

  local function check_status(status)
    if type(status) ~= "number" or status ~= math.floor(status) or status < 200 or status > 599 then
      fault("respond wants a status from 200 to 599 first, got %s: write respond(200, { text = \"ok\" })", got(status))
    end
  end

  local function body_of(message)
    local body
    for name in next, message do
      if type(name) ~= "string" or not known[name] then
        fault("respond: an answer has no %s%s", got(name), type(name) == "string" and suggest.hint(name, options) or "")
      elseif bodies[name] then
        if body then
          fault("respond: an answer has one body, not both %s and %s", body, name)
        end
        body = name
      end
    end
    return body
  end

  local function check_body(name, value)
    if type_of(value) == "secret" then
      fault "respond: a secret has no place in an answer"
    elseif name ~= "json" and type(value) ~= "string" then
      fault("respond: %s has to be a string, got %s%s", name, got(value),
        type_of(value) == "table" and ": write json = … for tables" or checks.instead(value))
    end
    return value
  end

  --- A form or XML as its text.
  local function made_body(name, value)
    local ok, text = pcall(made[name], value)
    if not ok then
      fault("respond: %s", tostring(text):gsub("^.-:%d+: ", ""):gsub("%.encode: ", ": ", 1))
    end
    return text
  end

  local function headers_of(given)
    local headers = checks.make_headers("respond", given, HEADERS_MAX)
    for i = 1, #headers, 2 do
      local lower = headers[i]:lower()
      if lower == "content-type" then
        fault "respond: the content type is not a header here: write content_type = …"
      elseif ours[lower] then
        fault("respond: the header '%s' is made by tidewire itself: leave it out", headers[i])
      elseif type_of(headers[i + 1]) == "secret" then
        fault "respond: a secret has no place in an answer"
      end
    end
    return headers
  end

  --- What native.respond takes after the status.
  local function parts_of(status, message)
    checks.want_plain("respond", message, "an answer", "{ json = … }")
    local body = body_of(message)
    if body and without_body[status] then
      fault("respond: an answer with the status %d has no body", status)
    end
    local value, content_type, headers = nil, checks.default_types[body]
    if made[body] then
      body, value, content_type = "text", made_body(body, message[body]), made_types[body]
    elseif body then
      value = check_body(body, message[body])
    end
    if message.content_type ~= nil then content_type = checks.check_content_type("respond", message.content_type) end
    if message.headers ~= nil then headers = headers_of(message.headers) end
    return body or "none", value, content_type, headers
  end

  --- Ends the handler: the sender is answered so once all is on disk.
  return function(status, message)
    native.need_handler "respond()"
    check_status(status)
    if message == nil then
      message = {}
    end
    return native.respond(status, parts_of(status, message))
  end
end

return M
