--- XML as plain tables: { name = "order", attr = { id = "7" }, … children }, a child being a node or a string.
-- @module tidewire.xml
local bodies = require "tidewire.bodies"
local parts_of = require "tidewire.parts"
local views = require "tidewire.views"

local M = {}

local DEPTH_MAX = 128 -- as XML_DEPTH_MAX of core/body/xml.h

local type_of = views.words.type

--- The node of a document.
-- @tparam string text
-- @treturn table
M.decode = bodies.xml_decode

-- ---- reading ----

local function want_node(word, node)
  if node ~= nil and type(node) ~= "table" then
    error(("%s wants a node such as event.body, got %s"):format(word, type_of(node)), 3)
  end
end

local function want_name(word, name)
  if type(name) ~= "string" then
    error(("%s wants the name of an element, got %s"):format(word, type_of(name)), 3)
  end
end

--- The children of that name, as written (with its prefix: "soap:Body"). Of nil: none.
-- @treturn table  a list
function M.all(node, name)
  want_node("xml.all", node)
  want_name("xml.all", name)
  local found = {}
  for _, child in ipairs(node or {}) do
    if type(child) == "table" and child.name == name then
      found[#found + 1] = child
    end
  end
  return found
end

local function first(node, name)
  for _, child in ipairs(node or {}) do
    if type(child) == "table" and child.name == name then
      return child
    end
  end
end

--- The first child of that name, or nil. Of nil: nil.
function M.first(node, name)
  want_node("xml.first", node)
  want_name("xml.first", name)
  return first(node, name)
end

local function add_text(node, out, depth)
  for _, child in ipairs(node) do
    if type(child) == "table" and depth < DEPTH_MAX then
      add_text(child, out, depth + 1)
    elseif type(child) == "string" then
      out[#out + 1] = child
    end
  end
  return out
end

--- All text inside the first child of that name, or without a name inside the node itself; nil where there is no such node.
-- @treturn string
function M.text(node, name)
  want_node("xml.text", node)
  if name ~= nil then
    want_name("xml.text", name)
    node = first(node, name)
  end
  return node and table.concat(add_text(node, {}, 1))
end

-- ---- writing ----

local name_pattern = "^[%a_:\128-\255][%w_:%.%-\128-\255]*$"
local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["\r"] = "&#13;", ["\n"] = "&#10;",
  ["\t"] = "&#9;" }

-- Text of XML 1.0: UTF-8 without controls; JSON's writer knows what UTF-8 is.
local function check_text(text, where)
  if text:find "[%z\1-\8\11\12\14-\31]" then
    return nil, ("%s has a control byte in it, which XML cannot carry"):format(where)
  elseif text:find "[\128-\255]" and not pcall(views.json.encode, text) then
    return nil, ("%s is not UTF-8"):format(where)
  end
  return true
end

-- A value as escaped text, or the secret that it is; nil and what is wrong.
local function scalar(value, where, pattern)
  local text = parts_of.scalar(value)
  if text == nil then
    return nil, ("%s has to be text, a number or a boolean, got %s"):format(where, type_of(value))
  elseif type(text) ~= "string" then
    return text
  end
  local ok, why = check_text(text, where)
  if not ok then return nil, why end
  return (text:gsub(pattern, escapes))
end

local function add_attributes(parts, attr, element)
  if type(attr) ~= "table" then
    return nil, ("attr of <%s> is a table such as { id = \"7\" }, got %s"):format(element, type_of(attr))
  end
  local names = {}
  for name in pairs(attr) do
    if type(name) ~= "string" or not name:find(name_pattern) then
      return nil, ("attr of <%s>: %s is no name of an attribute"):format(element, tostring(name))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local text, why = scalar(attr[name], ("the attribute '%s' of <%s>"):format(name, element), '[&<>"\r\n\t]')
    if not text then return nil, why end
    parts[#parts + 1] = " " .. name .. '="'
    parts[#parts + 1] = text
    parts[#parts + 1] = '"'
  end
  return true
end

-- The name of a node, and where its children begin: { name = "a", … } or { "a", … }.
local function head_of(node)
  local name = rawget(node, "name")
  if name ~= nil then return name, 1 end
  return rawget(node, 1), 2
end

local add_node

local function add_child(parts, child, element, depth)
  if type(child) == "table" then
    return add_node(parts, child, depth + 1)
  end
  local text, why = scalar(child, ("a child of <%s>"):format(element), "[&<>\r]")
  if not text then return nil, why end
  parts[#parts + 1] = text
  return true
end

-- Keys beside name, attr and the children are mistakes: { "order", id = 7 }.
local function check_keys(node, name, first_child)
  local count = 0
  for key in next, node do
    if type(key) == "number" then
      count = count + 1
    elseif key ~= "name" and key ~= "attr" then
      return nil, ("<%s> has '%s', which is neither name, attr nor a child: write attr = { %s = … }"):format(name, tostring(key),
        tostring(key))
    end
  end
  for i = 1, count do
    if rawget(node, i) == nil then
      return nil, ("the children of <%s> have a hole: child %d is nil"):format(name, i - first_child + 1)
    end
  end
  return count
end

function add_node(parts, node, depth)
  if depth > DEPTH_MAX then
    return nil, ("nested deeper than %d, or a node that contains itself"):format(DEPTH_MAX)
  end
  local name, first_child = head_of(node)
  if type(name) ~= "string" or not name:find(name_pattern) then
    return nil, ("a node wants its name first, { \"order\", … }, got %s"):format(type(name) == "string" and ("%q"):format(name)
      or type_of(name))
  end
  local ok, why = check_text(name, "the name of a node")
  if not ok then return nil, why end
  local count
  count, why = check_keys(node, name, first_child)
  if not count then return nil, why end
  parts[#parts + 1] = "<" .. name
  if rawget(node, "attr") ~= nil then
    ok, why = add_attributes(parts, rawget(node, "attr"), name)
    if not ok then return nil, why end
  end
  parts[#parts + 1] = count >= first_child and ">" or "/>"
  for i = first_child, count do
    ok, why = add_child(parts, rawget(node, i), name, depth)
    if not ok then return nil, why end
  end
  if count >= first_child then
    parts[#parts + 1] = "</" .. name .. ">"
  end
  return true
end

--- The pieces of a node's text: strings, escaped, and secrets. Attributes are sorted, so that every run writes the same bytes.
-- @treturn table  or nil and what is wrong
function M.parts(node)
  if type(node) ~= "table" then
    return nil, "XML is a node such as { \"order\", … }, got " .. type_of(node)
  end
  local parts = {}
  local ok, why = add_node(parts, node, 1)
  return ok and parts, why
end

--- The text of a node, without the line `<?xml …?>`, which send writes.
-- @treturn string
function M.encode(node)
  return (parts_of.join("xml.encode", M.parts(node)))
end

return M
