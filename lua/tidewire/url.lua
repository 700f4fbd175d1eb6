--- url.*: RFC 3986.
-- @module tidewire.url
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"

local M = {}

local type_of, tostring_of, pairs_of = views.words.type, views.words.tostring, views.words.pairs

local function text_argument(value, word)
  if type(value) ~= "string" then
    error(("url.%s wants text, got %s"):format(word, type_of(value)), 3)
  end
  return value
end

local function escape(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function unescape(text, plus)
  if plus then text = text:gsub("+", " ") end
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

--- Everything but letters, digits and -._~ as %XX.
function M.escape(value)
  local kind = type_of(value)
  if kind ~= "string" and kind ~= "number" then
    error(("url.escape wants text or a number, got %s"):format(kind), 2)
  end
  return escape(tostring_of(value))
end

local function split_authority(authority, parts)
  local user, rest = authority:match "^(.*)@(.*)$"
  parts.user = user
  local host, port = (rest or authority):match "^(%[[%x:%.]+%]):?(%d*)$"
  if not host then
    host, port = (rest or authority):match "^([%w%-._~%%!$&'()*+,;=\128-\255]*):?(%d*)$"
  end
  if not host then return nil end
  parts.host = host:lower()
  parts.port = tonumber(port)
  return parts.port == nil or parts.port <= 65535
end

--- { scheme, user, host, port, path, query, fragment }; what is absent is nil, path is at least "".
-- @treturn table|nil  nil and why
function M.parse(url)
  text_argument(url, "parse")
  if url:find "[%s%c\\]" then
    return nil, "an address has no white space and no backslash in it" -- some read a backslash as '/': another host
  end
  local parts = {}
  local rest = url
  parts.scheme = rest:match "^(%a[%w+.-]*):"
  if parts.scheme then
    rest = rest:sub(#parts.scheme + 2)
    parts.scheme = parts.scheme:lower()
  end
  local authority = rest:match "^//([^/?#]*)"
  if authority then
    rest = rest:sub(#authority + 3)
    if not split_authority(authority, parts) then
      return nil, "the host or port is badly written"
    end
  end
  parts.path, parts.query, parts.fragment = rest:match "^([^?#]*)%??([^#]*)#?(.*)$"
  if not rest:find "^[^#]*%?" then parts.query = nil end -- a '?' behind the '#' is the fragment's
  if not rest:find("#", 1, true) then parts.fragment = nil end
  return parts
end

local function query_text(values, word)
  local names, list = {}, {}
  for name in pairs_of(values) do
    if type(name) ~= "string" then
      error(("url.%s: a query has names, this is a list"):format(word), 3)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = values[name]
    local kind = type_of(value)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      error(("url.%s: %s is a %s; text and numbers go into a query"):format(word, name, kind), 3)
    end
    list[i] = escape(name) .. "=" .. escape(tostring_of(value))
  end
  return table.concat(list, "&")
end

--- A table to "a=1&b=2", sorted by name; such a text to a table of first values.
function M.query(value)
  local kind = type_of(value)
  if kind == "table" then
    local text = query_text(value, "query") -- no tail call: an error is raised two levels up
    return text
  end
  local result = {}
  for part in text_argument(value, "query"):gmatch "[^&]+" do
    local name, content = part:match "^([^=]*)=?(.*)$"
    name = unescape(name, true)
    if result[name] == nil then result[name] = unescape(content, true) end
  end
  return result
end

local part_names = { "scheme", "user", "host", "port", "path", "query", "fragment" }

-- What is to be written: texts by part name; "" is absent, but for the host of "file:///etc".
local function given_parts(parts)
  local given = {}
  for name, value in pairs_of(parts) do
    local kind = type_of(value)
    if name == "query" and kind == "table" then
      value = query_text(value, "build")
    elseif kind ~= "string" and not (name == "port" and kind == "number") then
      error(("url.build: %s is a %s, not text"):format(tostring(name), kind), 3)
    end
    given[name] = (value ~= "" or name == "host") and tostring_of(value) or nil
  end
  local path = given.path
  if given.host and path and path:sub(1, 1) ~= "/" then given.path = "/" .. path end
  return given
end

local function check_names(parts)
  if type_of(parts) ~= "table" then
    error(("url.build wants a table such as url.parse gives, got %s"):format(type_of(parts)), 3)
  end
  local known = {}
  for _, name in ipairs(part_names) do known[name] = true end
  for name in pairs_of(parts) do
    if not known[name] then
      error(("url.build: an address has no '%s'%s"):format(tostring(name), suggest.hint(name, part_names)), 3)
    end
  end
end

-- The first part that would be read back as another: a host with a '/' in it would be another host.
local function misread(url, given)
  local read, why = M.parse(url)
  if not read then return why end
  for _, name in ipairs(part_names) do
    local want, got = given[name] or name == "path" and "" or nil, read[name]
    if name == "port" then want = tonumber(want) end
    if (name == "scheme" or name == "host") and want then want = want:lower() end
    if want ~= got then return ("'%s' cannot stand as the %s"):format(given[name] or "", name) end
  end
end

--- The other way round of parse; query may be a table. Nothing is escaped twice: what a part cannot hold is an error.
function M.build(parts)
  check_names(parts)
  local given = given_parts(parts)
  local url = given.scheme and given.scheme .. ":" or ""
  if given.host then
    url = url .. "//" .. (given.user and given.user .. "@" or "") .. given.host .. (given.port and ":" .. given.port or "")
  end
  url = url .. (given.path or "") .. (given.query and "?" .. given.query or "")
    .. (given.fragment and "#" .. given.fragment or "")
  local why = misread(url, given)
  if why then
    error("url.build: " .. why, 2)
  end
  return url
end

local function join_part(part, i)
  local kind = type_of(part)
  if kind ~= "string" and kind ~= "number" then
    error(("url.join: part %d is a %s, not text or a number"):format(i, kind), 3)
  end
  part = tostring_of(part):gsub("^/", "")
  if part == "." or part == ".." or part == "" then
    error(("url.join: part %d is %q, which walks to another place"):format(i, part), 3)
  end
  return escape(part)
end

--- base with each further part escaped and set behind a '/' (a part may begin with that one); parts that walk up are refused.
function M.join(base, ...)
  if text_argument(base, "join"):find "[?#]" then
    error("url.join: the base has a '?' or '#' in it: parts cannot come behind", 2)
  end
  local url = base:match "^.*[^/]" or ""
  for i = 1, select("#", ...) do
    local part = join_part((select(i, ...)), i)
    url = url .. "/" .. part
  end
  return url
end

return M
