--- What a message is ordered by: its own `key`, or what its target's order_by says.
-- @module tidewire.order
local native = require "tidewire.actions_native"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}

local KEY_MAX = 1024

local get, type_of = views.words.get, views.words.type

--- The message as order_by sees it: what goes out, not what came in.
local function outgoing(message, is_event)
  if is_event then
    return { body = message.body, headers = {}, path = "" }
  end
  local headers = {}
  for name, value in pairs(message.headers or {}) do
    headers[name:lower()] = value
  end
  local body = message.json
  if body == nil then
    body = message.text or message.body
  end
  return { body = body, headers = headers, path = message.path or "" }
end

--- @tparam table checks  fault and scalar_text, of actions.lua
-- @treturn function  (targets, message, is it an event), all checked → nil, a key for all, or a list of keys, one for each target
-- (false: none)
function M.reader(checks)
  local function text_of(value, what)
    if value == nil or type_of(value) == "null" or value == "" then
      return nil
    end
    local key = checks.scalar_text("send", value, what)
    if #key > KEY_MAX then
      checks.fault("send: %s is %d bytes long, at most %d", what, #key, KEY_MAX)
    end
    return key
  end

  local function key_by(target, message, is_event)
    local content = values.content_of(target)
    local by = content.order_by
    if not by then
      return nil
    end
    local seen = outgoing(message, is_event)
    local found
    if type(by) == "function" then
      found = native.ask(by, seen)
    else
      found = get(seen, by)
    end
    return text_of(found, ("what target %q is ordered by"):format(content.name))
  end

  return function(to, message, is_event)
    if not is_event and message.key ~= nil then
      return text_of(message.key, "key")
    elseif type(to) ~= "table" then
      return key_by(to, message, is_event)
    end
    local keys, any = {}, false
    for i, target in ipairs(to) do
      keys[i] = key_by(target, message, is_event) or false
      any = any or keys[i]
    end
    return any and keys or nil
  end
end

--- As it is declared: a path into the message, where names of headers are in lower case, or a function.
function M.declared(order_by)
  local of_header = type(order_by) == "string" and order_by:find "^headers"
  return of_header and order_by:lower() or order_by
end

return M
