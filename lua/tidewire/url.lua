--- url.*: RFC 3986.
-- @module tidewire.url
local views = require "tidewire.views"

local M = {}

local type_of, tostring_of = views.words.type, views.words.tostring

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
    host, port = (rest or authority):match "^([^:%[%]%s]*):?(%d*)$"
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
  if url:find "[%s%c]" then
    return nil, "an address has no white space in it"
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
  if not rest:find("?", 1, true) then parts.query = nil end
  if not rest:find("#", 1, true) then parts.fragment = nil end
  return parts
end

local function query_text(values, word)
  local names, list = {}, {}
  for name in views.words.pairs(values) do
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
    return query_text(value, "query")
  end
  local result = {}
  for part in text_argument(value, "query"):gmatch "[^&]+" do
    local name, content = part:match "^([^=]*)=?(.*)$"
    name = unescape(name, true)
    if result[name] == nil then result[name] = unescape(content, true) end
  end
  return result
end

--- The other way round of parse; query may be a table.
function M.build(parts)
  if type(parts) ~= "table" then
    error("url.build wants a table such as url.parse gives", 2)
  end
  local url = parts.scheme and parts.scheme .. ":" or ""
  if parts.host then
    url = url .. "//" .. (parts.user and parts.user .. "@" or "") .. parts.host .. (parts.port and ":" .. parts.port or "")
  end
  local path = parts.path or ""
  if parts.host and path ~= "" and path:sub(1, 1) ~= "/" then path = "/" .. path end
  local query = parts.query
  if type_of(query) == "table" then query = query_text(query, "build") end
  return url .. path .. (query and query ~= "" and "?" .. query or "") .. (parts.fragment and "#" .. parts.fragment or "")
end

--- base with each further part escaped and set behind a '/'; parts that walk up are refused.
function M.join(base, ...)
  local url = text_argument(base, "join"):gsub("/+$", "")
  for i = 1, select("#", ...) do
    local part = (select(i, ...))
    local kind = type_of(part)
    if kind ~= "string" and kind ~= "number" then
      error(("url.join: part %d is a %s, not text or a number"):format(i, kind), 2)
    end
    part = tostring_of(part)
    if part == "." or part == ".." or part == "" then
      error(("url.join: part %d is %q, which walks to another place"):format(i, part), 2)
    end
    url = url .. "/" .. escape(part)
  end
  return url
end

return M
