--- How the settings of a sentence are looked at: each function takes what was written and gives what the router uses, or notes
-- the mistake with its place and gives nil.
-- @module tidewire.loader.check
local findings = require "tidewire.loader.findings"
local paths = require "tidewire.paths"
local suggest = require "tidewire.suggest"
local units = require "tidewire.units"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}
M.__index = M

local type_of = views.words.type

--- @tparam table load  the running load: findings, sources, is_inert
-- @tparam string subject  'target "erp"', for messages
function M.new(load, subject, file, line)
  return setmetatable({ load = load, subject = subject, file = file, line = line, meant = {} }, M)
end

--- @treturn table  a new one: what is given, and the default of what is not
function M.with_defaults(given, defaults)
  local all = {}
  for name, value in pairs(defaults) do
    all[name] = value
  end
  for name, value in pairs(given) do
    all[name] = value
  end
  return all
end

local function dotted(path)
  local text = ""
  for _, step in ipairs(path) do
    text = type(step) == "number" and ("%s[%d]"):format(text, step) or text == "" and step or text .. "." .. step
  end
  return text
end

--- How a value is named in a message.
local function shown(value)
  local kind = type_of(value)
  if kind == "string" then
    return #value <= 40 and ("%q"):format(value):gsub("\\\n", "\\n") or "a long text"
  elseif kind == "number" or kind == "boolean" then
    return tostring(value)
  elseif kind == "nil" or kind == "null" then
    return kind
  end
  return "a " .. kind
end

local function extend(path, step)
  local longer = { unpack(path) }
  longer[#longer + 1] = step
  return longer
end

--- @tparam table path  keys from the sentence's table to the place
-- @tparam string message  without the subject
-- @tparam table more  { hint, suggestion, warning, at_key, bare: message has its subject }
function M:fault(path, message, more)
  more = more or {}
  local source = self.load.sources[self.file]
  self.load.findings:add {
    file = self.file, line = self.line, hint = more.hint, suggestion = more.suggestion, warning = more.warning,
    token = #path > 0 and source and source:option(self.line, path, not more.at_key) or nil,
    message = more.bare and message or self.subject .. ": " .. message,
  }
end

function M:wants(path, value, what, example)
  self:fault(path, ("%s wants %s, got %s"):format(dotted(path), what, shown(value)),
    { hint = example and "for example " .. example })
end

--- Words of other routers, by the sentence they were written in: what is said here instead.
local aliases = {
  route = {
    body = "write handle", handler = "write handle", reply_within = "write ack_within", provider = "write from",
    secret = "write it inside from or verify", path = "the path is the text after `route`", methods_allowed = "write methods",
    endpoint = "the path is the text after `route`", url = "the path is the text after `route`", filter = "write when",
    retries = "set attempts inside retry", allow = "write ip_allow",
  },
  target = {
    endpoint = "write url", uri = "write url", address = "write url", retries = "set attempts inside retry",
    body = "a message is given to send: send(target, { json = … })", token = "write auth = auth.bearer(secret \"NAME\")",
    rate_limit = "write rate", signature = "write sign",
  },
  sign = {
    kid = "write key_id", iss = "write issuer", aud = "write audience", sub = "write subject", exp = "write ttl",
    expires_in = "write ttl", max_age = "how old a signature may be, its receiver says",
    public_url = "{url} is the address that the message goes to",
  },
  auth = { client_id = "write id", client_secret = "write secret", username = "write user" },
}

local function alias_of(self, key)
  local of = aliases[self.subject:match "^%a+"]
  return of and of[key]
end

--- Every key of a table against the known ones: { name = checker }, `later` names come with a later version.
-- @treturn table  what the checkers gave, by name
function M:fields(path, given, known, later)
  local result, names = {}, suggest.names_of(known)
  local what = #path == 0 and self.subject or ("%s: %s"):format(self.subject, dotted(path))
  for key, value in pairs(given) do
    local here = extend(path, key)
    if type(key) ~= "string" then
      self:fault(here, ("%s: the value %s has no name: write name = value"):format(what, shown(value)), { bare = true })
    elseif known[key] then
      if not self.load.is_inert(value) then
        result[key] = known[key](self, here, value)
      end
    elseif later and later[key] then
      self:fault(here, ("%s: '%s' comes with a later version"):format(what, key), { at_key = true, bare = true })
    else
      local hint, suggestion = findings.near(key, names)
      hint = hint or alias_of(self, key)
      self:note_meant(path, suggestion or hint and hint:match "^write ([%l_]+)")
      self:fault(here, ("%s has no option '%s'"):format(what, key),
        { at_key = true, bare = true, hint = hint, suggestion = suggestion })
    end
  end
  return result
end

function M:note_meant(path, option)
  if option and #path == 0 then
    self.meant[option] = true
  end
end

--- Whether an option of the sentence itself is to be asked for: what was misspelt has its message already. After `fields`.
function M:lacks(given, option)
  return given[option] == nil and not self.meant[option]
end

-- ---- single values ----

function M:text(path, value)
  if type(value) ~= "string" or value == "" then
    return self:wants(path, value, "a text")
  end
  return value
end

function M:line_text(path, value)
  local text = self:text(path, value)
  if text and text:find "[%c]" then
    return self:fault(path, dotted(path) .. " has a line end or control character in it")
  end
  return text
end

function M:boolean(path, value)
  if type(value) ~= "boolean" then
    return self:wants(path, value, "true or false")
  end
  return value
end

function M:callback(path, value)
  if type(value) ~= "function" then
    return self:wants(path, value, "a function", "function(event) … end")
  end
  return value
end

function M.whole(from, to)
  return function(self, path, value)
    if type(value) ~= "number" or value ~= math.floor(value) or value < from or value > to then
      return self:wants(path, value, ("a whole number from %d to %d"):format(from, to))
    end
    return value
  end
end

function M.number(from, to)
  return function(self, path, value)
    if type(value) ~= "number" or not (value >= from and value <= to) then
      return self:wants(path, value, ("a number from %g to %g"):format(from, to))
    end
    return value
  end
end

local function with_unit(read, noun)
  return function(from, to)
    return function(self, path, value)
      local amount, hint = read(value)
      if not amount then
        local missing = type(value) == "number"
        return self:fault(path, missing and ("%s = %s needs a unit"):format(dotted(path), shown(value))
          or ("%s = %s is no %s"):format(dotted(path), shown(value), noun), { hint = hint })
      end
      local least, most = read(from), read(to)
      if amount < least or amount > most then
        return self:fault(path, ("%s = %s is out of range"):format(dotted(path), shown(value)),
          { hint = ("from \"%s\" to \"%s\""):format(from, to) })
      end
      return amount
    end
  end
end

M.duration = with_unit(units.duration, "duration")
M.size = with_unit(units.size, "size")

function M:rate(path, value)
  local per_second, burst = units.rate(value)
  if not per_second then
    return self:fault(path, ("%s = %s is no rate"):format(dotted(path), shown(value)), { hint = burst })
  end
  return { per_second = per_second, burst = burst }
end

--- Addresses and ranges of them.
function M:ranges(path, value)
  return M.list(function(_, here, text)
    if type(text) ~= "string" or not paths.cidr_is_valid(text) then
      return self:fault(here, ("%s is not an address or a range of addresses"):format(shown(text)),
        { hint = "write \"192.0.2.7\" or \"10.0.0.0/8\"" })
    end
    return text
  end)(self, path, value)
end

--- One of a list of texts.
function M.choice(list)
  return function(self, path, value)
    for _, word in ipairs(list) do
      if value == word then return word end
    end
    local hint, suggestion = findings.near(value, list)
    local known = {}
    for i, word in ipairs(list) do known[i] = ("%q"):format(word) end
    self:fault(path, ("%s = %s is none of %s"):format(dotted(path), shown(value), table.concat(known, ", ")),
      { hint = hint, suggestion = suggestion })
  end
end

--- A value that one of our words made: target, provider, verify, sign, auth.
function M.made_by(kind, example)
  return function(self, path, value)
    if values.kind_of(value) ~= kind then
      return self:wants(path, value, "a value of " .. kind, example)
    end
    return values.content_of(value)
  end
end

--- A secret, never its text.
function M:secret(path, value)
  if type_of(value) ~= "secret" then
    return self:fault(path, ("%s wants a secret, got %s"):format(dotted(path), shown(value)),
      { hint = "write secret \"NAME\": the value comes from the environment, never from the file" })
  end
  return value
end

--- A secret that verifies or signs: one or two names, not joined with text.
function M:bare_secret(path, value)
  if not self:secret(path, value) then return nil end
  local names = self.load.secret_names(value)
  if not names then
    return self:fault(path, dotted(path) .. " wants a secret that is not joined with text")
  end
  return names
end

function M:text_or_secret(path, value)
  if type_of(value) == "secret" then
    return value
  end
  return self:line_text(path, value)
end

--- Where requests go: an address of http or https, or a secret that is one.
function M:address(path, value)
  if type_of(value) == "secret" then
    return value
  end
  local url, name = self:line_text(path, value), dotted(path)
  if not url then
    return nil
  end
  local authority = url:match "^https?://([^/?#]+)"
  if not authority or url:find "%s" then
    return self:fault(path, ("%s = %s is not an address"):format(name, shown(url)),
      { hint = "write \"https://host.example.com/path\"" })
  elseif authority:find("@", 1, true) then
    return self:fault(path, name .. " has a name or password in it",
      { hint = name == "url" and "write auth = auth.basic { user = …, password = secret \"…\" }"
        or "there are options for them, in which they are secrets" })
  elseif url:find("#", 1, true) then
    return self:fault(path, name .. " has a '#': that part is never sent")
  end
  return url
end

--- A list, or a single value as a list of one.
function M.list(check_item)
  return function(self, path, value)
    if type(value) ~= "table" then
      return { check_item(self, path, value) }
    end
    local items = {}
    for i, item in ipairs(value) do
      if not self.load.is_inert(item) then
        items[#items + 1] = check_item(self, extend(path, i), item)
      end
    end
    if #value == 0 then
      self:fault(path, dotted(path) .. " is an empty list")
    end
    return items
  end
end

local header_name = "^[%w!#$%%&'*+%-.^_`|~]+$"

function M:header_name(path, value)
  local name = self:text(path, value)
  if name and not name:find(header_name) then
    return self:fault(path, ("'%s' is not a header name"):format(name))
  end
  return name
end

local ours = { host = true, ["content-length"] = true, ["transfer-encoding"] = true, connection = true, te = true,
  upgrade = true }

--- { name = value } as a list of { name, value }, sorted.
function M:headers(path, value)
  if type(value) ~= "table" then
    return self:wants(path, value, "a table", "{ [\"X-Source\"] = \"tidewire\" }")
  end
  local list = {}
  for name, content in pairs(value) do
    local here = extend(path, name)
    if type(name) ~= "string" or not name:find(header_name) then
      self:fault(here, ("'%s' is not a header name"):format(tostring(name)))
    elseif ours[name:lower()] then
      self:fault(here, ("the header '%s' is made by tidewire itself"):format(name))
    elseif not self.load.is_inert(content) then
      list[#list + 1] = { name, self:text_or_secret(here, content) or "" }
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

M.dotted, M.shown, M.extend = dotted, shown, extend
return M
