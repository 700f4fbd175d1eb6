--- Forms: application/x-www-form-urlencoded (WHATWG URL, section 5).
-- @module tidewire.form
local bodies = require "tidewire.bodies"
local parts_of = require "tidewire.parts"
local views = require "tidewire.views"

local M = {}

local type_of, pairs_of, ipairs_of = views.words.type, views.words.pairs, views.words.ipairs

--- A table of names and first values.
-- @tparam string text
-- @treturn table
M.decode = bodies.form_decode

--- Every value of one name: `form.all(event, "item")`. Files of a multipart body are tables.
-- @param from  an event whose body is a form, or a form as text
-- @tparam string name
-- @treturn table  a list, empty when the name is not there
M.all = bodies.form_all

local function escape(text)
  return (text:gsub("[^%w%-%._%* ]", function(c) return ("%%%02X"):format(c:byte()) end):gsub(" ", "+"))
end

-- One name=value behind the others; nil and what is wrong.
local function add(parts, name, value)
  local text = parts_of.scalar(value)
  if text == nil then
    return nil, ("'%s' has to be text, a number, a boolean or a list of these, got %s"):format(name, type_of(value))
  end
  parts[#parts + 1] = (#parts > 0 and "&" or "") .. escape(name) .. "="
  parts[#parts + 1] = type(text) == "string" and escape(text) or text
  return true
end

local function add_all(parts, name, value)
  if type_of(value) ~= "table" then
    return add(parts, name, value)
  end
  local count = 0
  for key in pairs_of(value) do
    if type(key) ~= "number" then
      return nil, ("'%s' is a table with names: a form has none below a field, write [\"%s[name]\"] = …"):format(name, name)
    end
    count = count + 1
  end
  for _, item in ipairs_of(value) do
    local ok, why = add(parts, name, item)
    if not ok then return nil, why end
    count = count - 1
  end
  if count ~= 0 then
    return nil, ("the list '%s' has holes"):format(name)
  end
  return true
end

--- The pieces of a form's text: strings, escaped, and secrets. Names are sorted, so that every run writes the same bytes.
-- @param fields  a table or view: name → value, or list of values
-- @treturn table  or nil and what is wrong
function M.parts(fields)
  if type_of(fields) ~= "table" then
    return nil, "a form is a table such as { name = \"Ann\" }, got " .. type_of(fields)
  end
  local names, parts = {}, {}
  for name in pairs_of(fields) do
    if type(name) ~= "string" then
      return nil, "a form is a table of names and values such as { name = \"Ann\" }, got a list"
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    if name ~= names[i - 1] then -- a view has a twice-given key twice
      local ok, why = add_all(parts, name, fields[name])
      if not ok then return nil, why end
    end
  end
  return parts
end

--- The text of a form: `form.encode { name = "Ann", tag = { "a", "b" } }` is "name=Ann&tag=a&tag=b".
-- @param fields  as for parts
-- @treturn string
function M.encode(fields)
  return (parts_of.join("form.encode", M.parts(fields)))
end

return M
