--- http.*: what a handler asks of other servers. It waits for the answers, and other events are handled meanwhile. Checked here,
-- made into requests and answers in C (core/script/fetching.c).
-- @module tidewire.http
local actions = require "tidewire.actions"
local native = require "tidewire.http_native"
local need_handler = require("tidewire.actions_native").need_handler
local suggest = require "tidewire.suggest"
local units = require "tidewire.units"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}

local type, next, pairs, rawget, getmetatable, pcall, error = type, next, pairs, rawget, getmetatable, pcall, error
local setmetatable = setmetatable
local fault, got = actions.fault, actions.got
local type_of, text_of = views.words.type, views.words.tostring

local URL_MAX, SHOWN_MAX = 8192, 500 -- bytes; FETCH_URL_SHOWN_MAX of core/model/fetch.h
local TIMEOUT_MS = { 10, 600000 }
local RESPONSE_BYTES = { 1, 16 * 2 ^ 20 }

-- ---- options ----

local own = { timeout = true, private = true, auth = true, max_response = true }
-- what makes the message is checked where `send` checks it, with what comes later there
local of_message = { headers = true, query = true, json = true, text = true, body = true, form = true, xml = true,
  content_type = true }
local option_names = { "timeout", "private", "auth", "max_response", "headers", "query", "json", "text", "body", "form",
  "xml", "content_type" }

--- An error of a function that speaks of `send`, under the name of this word.
local function under_name(word, ok, ...)
  if ok then
    return ...
  end
  local why = ...
  error(type(why) == "string" and why:gsub("send: ", word .. ": ", 1) or why, 0)
end

local function timeout_of(word, value)
  if value == nil then
    return 10000
  end
  local ms = actions.milliseconds(word .. ": timeout", value)
  if ms < TIMEOUT_MS[1] or ms > TIMEOUT_MS[2] then
    fault("%s: timeout is from \"10ms\" to \"10m\", got %s", word, got(value))
  end
  return ms
end

local function max_response_of(word, value)
  if value == nil then
    return 2 ^ 20
  end
  local bytes, why = units.size(value)
  if not bytes then
    fault("%s: max_response: %s, got %s", word, why, got(value))
  elseif bytes < RESPONSE_BYTES[1] or bytes > RESPONSE_BYTES[2] then
    fault("%s: max_response is from \"1B\" to \"16MiB\", got %s", word, got(value))
  end
  return bytes
end

local function private_of(word, value)
  if value ~= nil and type(value) ~= "boolean" then
    fault("%s: private is true or false, got %s", word, got(value))
  end
  return value
end

local function auth_of(word, value)
  if value == nil then
    return {}
  elseif values.kind_of(value) ~= "auth" then
    fault("%s: auth is a value such as auth.bearer(secret \"TOKEN\"), got %s", word, got(value))
  end
  local auth = values.content_of(value)
  if auth.scheme == "oauth2" then
    fault("%s: auth.oauth2 works on targets only: ask with auth.bearer, or send to a target", word)
  end
  return auth
end

local function check_url(word, url)
  local is_secret = type_of(url) == "secret"
  local text = is_secret and text_of(url) or url
  if type(text) ~= "string" then
    fault("%s wants an address as text, or a secret, got %s", word, got(url))
  elseif #text > URL_MAX then
    fault("%s: the url is %d bytes long, at most %d", word, #text, URL_MAX)
  elseif text:find "[%z\1-\32\127]" then
    fault("%s: the url has a space, a line end or another control byte in it: %s; url.join and url.escape make a url of any text",
      word, is_secret and "a secret joined with it" or got(text))
  elseif not is_secret and not text:find "^[hH][tT][tT][pP][sS]?://." then
    fault("%s: the url begins with http:// or https://, got %s", word, got(text))
  elseif text:find("#", 1, true) then
    fault("%s: the url has a '#': that part is never sent; url.escape escapes it", word)
  end
  return text
end

--- The options that make the message, in a table of their own; every name is looked at.
local function message_options(word, options, also)
  local message = {}
  if type(options) ~= "table" or getmetatable(options) ~= nil then
    fault("%s wants its options as a plain table such as { timeout = \"3s\" }, got %s", word, got(options))
  end
  for name, value in next, options do
    if of_message[name] then
      message[name] = value
    elseif not own[name] and not also[name] then
      fault("%s has no option %s%s", word, got(name), suggest.hint(name, option_names))
    end
  end
  return message
end

local needs_body = { POST = true, PUT = true, PATCH = true }

--- With its query.
local function shown_url(text, query)
  if query and query ~= "" then
    text = text .. (text:find("?", 1, true) and "&" or "?") .. query
  end
  return text:sub(1, SHOWN_MAX)
end

--- Checks one request and prepares it.
-- @tparam number place  of those that are asked together, from 1
-- @tparam string|nil method  nil: what the options say, else GET
-- @tparam table also  names of options that stand for the method and the url here
-- @treturn string  the address, for messages: the url without its query
local function prepare(word, place, method, url, options, also)
  local text = check_url(word, url)
  local message = message_options(word, options, also)
  message.method = method or rawget(options, "method") or "GET"
  local kind, value, content_type, headers, _, query = under_name(word, pcall(actions.parts_of, message))
  if kind == "none" and needs_body[message.method] then
    fault("%s: %s has no body: its json (or text, or body) is nil; text = \"\" sends an empty one", word, message.method)
  end
  local auth = auth_of(word, options.auth)
  under_name(word, pcall(native.prepare, place, kind, value, content_type, headers, nil, query, message.method, nil, {
    url = url, auth = auth.scheme, auth_user = auth.user, auth_value = auth.value, timeout = timeout_of(word, options.timeout),
    max_response = max_response_of(word, options.max_response), private = private_of(word, options.private),
    method = message.method, shown = shown_url(text, query),
  }))
  return text:match "^[^?]*":sub(1, SHOWN_MAX)
end

-- ---- answers ----

local any_case = {
  __index = function(headers, name)
    return type(name) == "string" and rawget(headers, name:lower()) or nil
  end,
}

--- Asks what was prepared, side by side, and waits for all answers. Nothing but the addresses is kept meanwhile: many handlers
-- may be waiting.
-- @tparam {string,...} addresses  by place
-- @treturn table  answers by place; or nil, the place of one that has none, and what to say of it
local function ask(word, addresses)
  local place, why = native.begin(word)
  if place then
    native.end_all()
    return nil, place, ("%s: %s"):format(addresses[place], why)
  end
  local answers = {}
  for _ = 1, #addresses do
    local answer, kind
    native.wait(word)
    place, answer, kind, why = native.take()
    if not answer then
      native.end_all()
      return nil, place, ("%s: %s (%s)"):format(addresses[place], why, kind)
    end
    setmetatable(answer.headers, any_case)
    answers[place] = answer
  end
  return answers
end

-- ---- the words ----

local nothing = {}

local function ask_one(word, address)
  local answers, _, why = ask(word, { address })
  if not answers then
    fault("%s: %s", word, why)
  end
  return answers[1]
end

for _, method in pairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
  local word = "http." .. method:lower()
  M[method:lower()] = function(url, options)
    need_handler(word)
    return ask_one(word, prepare(word, 1, method, url, options == nil and {} or options, nothing))
  end
end

local takes_method = { method = true }

--- Like the others, with the method as an option: http.request(url, { method = "OPTIONS" }).
function M.request(url, options)
  need_handler "http.request"
  return ask_one("http.request", prepare("http.request", 1, nil, url, options == nil and {} or options, takes_method))
end

local takes_url = { method = true, url = true }

local function prepare_entry(place, key, entry)
  local word = ("http.all: %s"):format(type(key) == "string" and key or text_of(key))
  if type(entry) == "table" then
    return prepare(word, place, nil, rawget(entry, "url"), entry, takes_url)
  end
  return prepare(word, place, nil, entry, {}, nothing)
end

--- Several side by side: { a = "https://…", b = { url = "https://…", method = "POST", json = … } } gives their answers by the
-- same keys. If one has no answer, the others are given up.
function M.all(entries)
  need_handler "http.all"
  if type(entries) ~= "table" or getmetatable(entries) ~= nil then
    fault("http.all wants a plain table such as { user = { url = … }, orders = { url = … } }, got %s", got(entries))
  end
  local keys, addresses, answers = {}, {}, {}
  for key, entry in next, entries do
    if #keys == native.together_max then
      fault("http.all asks at most %d at once", native.together_max)
    elseif type(key) ~= "string" and type(key) ~= "number" then
      fault("http.all: a key is text or a number, got %s", got(key))
    end
    keys[#keys + 1] = key
    addresses[#keys] = prepare_entry(#keys, key, entry)
  end
  if #keys == 0 then
    return answers
  end
  local by_place, place, why = ask("http.all", addresses)
  if not by_place then
    fault("http.all: %s: %s", text_of(keys[place]), why)
  end
  for i, key in pairs(keys) do
    answers[key] = by_place[i]
  end
  return answers
end

return M
