--- Functions written for Webhook Relay: the text of the script runs from its top for each request, with `r` and `cfg`. Source:
-- its documentation, "Functions".
-- @module tidewire.compat.webhookrelay
local plain = require "tidewire.compat.plain"
local url = require "tidewire.url"
local views = require "tidewire.views"

local M = {}

--- "x-github-event" as "X-Github-Event", which is how their tables have it.
local function canonical(name)
  return (name:lower():gsub("^%l", string.upper):gsub("%-%l", string.upper))
end

local any_case = { __index = function(headers, name)
  return type(name) == "string" and rawget(headers, canonical(name)) or nil
end }

local function headers_of(event)
  local headers = {}
  for name, value in views.words.pairs(event.headers) do
    headers[canonical(name)] = value
  end
  return setmetatable(headers, any_case)
end

-- ---- the libraries that their scripts require ----

local function json_library(words)
  return {
    decode = function(text)
      local ok, value, why = pcall(words.json.decode, text)
      if not ok then return nil, tostring(value) end
      return plain.from(value), why
    end,
    encode = function(value)
      local ok, text = pcall(words.json.encode, value)
      if not ok then return nil, tostring(text) end
      return text
    end,
  }
end

local function crypto_library(words)
  local library = {
    base64_encode = words.base64.encode,
    base64_decode = function(text)
      local ok, bytes = pcall(words.base64.decode, text)
      if not ok then return nil, tostring(bytes) end
      return bytes
    end,
    hmac = function(algorithm, data, key) return words.crypto.hmac(algorithm, key, data, "hex") end,
  }
  for _, algorithm in ipairs { "sha1", "sha256", "sha512" } do
    library[algorithm] = function(data) return words.crypto.hash(algorithm, data, "hex") end
  end
  return library
end

local function http_library(words)
  return {
    request = function(method, address, options)
      options = options or {}
      local ok, answer = pcall(words.http.request, address, { method = method:upper(), text = options.body, query = options.query,
        headers = options.headers, timeout = options.timeout })
      if not ok then return nil, tostring(answer) end
      return { body = answer.body, status_code = answer.status, headers = answer.headers }
    end,
  }
end

local libraries = { json = json_library, crypto = crypto_library, http = http_library }

-- ---- r and cfg ----

local function text_argument(word, value)
  if type(value) ~= "string" then
    error(("r:%s wants text, got a %s"):format(word, type(value)), 3)
  end
  return value
end

--- @treturn table  r, with what its methods have changed in r.changed
local function request_of(event)
  local raw = event.raw
  local r = {
    RequestBody = raw, RequestMethod = event.method, RequestPath = event.path, RequestHeader = headers_of(event),
    RequestQuery = {},
  }
  for name, value in views.words.pairs(event.query) do
    r.RequestQuery[name] = value
  end
  r.RequestRawQuery = url.query(r.RequestQuery)
  local changed = { headers = {}, response = nil, stopped = false }
  local function response()
    changed.response = changed.response or { status = 200, headers = {} }
    return changed.response
  end
  function r.SetRequestBody(_, text) changed.body = text_argument("SetRequestBody", text) r.RequestBody = text end
  function r.SetRequestMethod(_, text) changed.method = text_argument("SetRequestMethod", text):upper() end
  function r.SetRequestPath(_, text) changed.path = text_argument("SetRequestPath", text) end
  function r.SetRequestRawQuery(_, text) changed.query = text_argument("SetRequestRawQuery", text) end
  function r.SetRequestHeader(_, name, text) changed.headers[canonical(name)] = text_argument("SetRequestHeader", text) end
  function r.DeleteRequestHeader(_, name) changed.headers[canonical(name)] = false end
  function r.StopForwarding() changed.stopped = true end
  function r.SetResponseBody(_, text) response().body = text_argument("SetResponseBody", text) end
  function r.SetResponseStatusCode(_, status) response().status = tonumber(status) end
  function r.SetResponseHeader(_, name, text) response().headers[name] = text_argument("SetResponseHeader", text) end
  return r, changed
end

local function configuration(values)
  return { GetValue = function(_, name)
    local value = values[name]
    if value == nil then
      error(("cfg:GetValue(%q): there is no such value: give it in compat.webhookrelay(\"…\", { %s = … })"):format(name, name), 2)
    end
    return value
  end }
end

-- ---- the message that comes of it ----

--- Their request goes on as it came, but for what was changed; of its headers only those that were set.
local function message_of(event, changed)
  local headers = {}
  for name, value in pairs(changed.headers) do
    if value and name ~= "Content-Type" then headers[name] = value end
  end
  local type_set = changed.headers["Content-Type"]
  return {
    body = changed.body or event.raw, content_type = type_set or event.content_type ~= "" and event.content_type or nil,
    headers = headers, method = changed.method, path = changed.path, query = changed.query and url.query(changed.query),
  }
end

--- @tparam function script  makes the script's function in an environment
-- @tparam table values  what cfg has
-- @tparam table words  the words of rules
-- @treturn function  event → message for send or nil, and { status, headers, body } when the script has set an answer
function M.handler(script, values, words)
  return function(event)
    local environment = plain.environment(words)
    local r, changed = request_of(event)
    environment.r, environment.cfg = r, configuration(values)
    function environment.require(name)
      local make = libraries[name]
      if not make then error(("require(%q): there are json, http and crypto"):format(tostring(name)), 2) end
      return make(words)
    end
    script(environment)()
    return not changed.stopped and message_of(event, changed) or nil, changed.response
  end
end

return M
