--- csv.*: comma-separated values as RFC 4180 describes them.
-- @module tidewire.csv
local views = require "tidewire.views"

local M = {}

local type_of, text_of = views.words.type, views.words.tostring
local ROWS_MAX, COLUMNS_MAX = 100000, 1000
local BYTE_ORDER_MARK = "\239\187\191"

local function option(word, options, name)
  if options ~= nil and type(options) ~= "table" then
    error(("%s wants a table of options, got a %s"):format(word, type_of(options)), 3)
  end
  for key in next, options or {} do
    if key ~= "header" and key ~= "separator" then
      error(("%s has no option '%s': there are header and separator"):format(word, tostring(key)), 3)
    end
  end
  return options and options[name]
end

local function separator_of(word, options)
  local separator = option(word, options, "separator")
  if separator == nil then
    return ","
  elseif type(separator) ~= "string" or #separator ~= 1 or separator:find "[\"\r\n]" then
    error(word .. ": separator is one character such as \";\"", 3)
  end
  return separator
end

-- ---- parse: each function takes a place in the text and gives the next one; faults are raised without a line ----

local function fail(row, what)
  error(("row %d: %s"):format(row, what), 0)
end

--- The field in quotes that begins at `at`; a doubled quote is one.
local function quoted_field(text, at, row)
  local parts, from = {}, at + 1
  while true do
    local quote = text:find('"', from, true)
    if not quote then
      fail(row, "a quote is never closed")
    end
    parts[#parts + 1] = text:sub(from, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= '"' then
      return table.concat(parts), quote + 1
    end
    parts[#parts + 1] = '"'
    from = quote + 2
  end
end

--- @treturn string  the field
-- @treturn number  the place behind it
-- @treturn boolean  another field of the same row follows
local function next_field(text, at, row, separator, plain)
  local field
  if text:sub(at, at) == '"' then
    field, at = quoted_field(text, at, row)
  else
    local stop = text:find(plain, at) or #text + 1
    field, at = text:sub(at, stop - 1), stop
  end
  local mark = text:sub(at, at)
  if mark == separator then
    return field, at + 1, true
  elseif mark == "\r" and text:sub(at + 1, at + 1) == "\n" then
    return field, at + 2, false
  elseif mark == "\n" or mark == "" then
    return field, at + 1, false
  elseif mark == '"' then
    fail(row, "a field with a quote in it is not in quotes itself")
  end
  fail(row, "something stands behind a closing quote")
end

local function next_row(text, at, row, separator, plain)
  local fields, more = {}, true
  while more do
    if #fields == COLUMNS_MAX then
      fail(row, ("more than %d fields"):format(COLUMNS_MAX))
    end
    fields[#fields + 1], at, more = next_field(text, at, row, separator, plain)
  end
  return fields, at
end

local function rows_of(text, separator)
  local rows, at, row = {}, 1, 0
  local plain = "[\"\r\n" .. (separator:find "%w" and "" or "%") .. separator .. "]"
  if text:sub(1, 3) == BYTE_ORDER_MARK then
    at = 4
  end
  while at <= #text do
    local fields
    row = row + 1
    fields, at = next_row(text, at, row, separator, plain)
    if #fields > 1 or fields[1] ~= "" then -- an empty line is no row
      if #rows == ROWS_MAX then
        fail(row, ("more than %d rows"):format(ROWS_MAX))
      end
      rows[#rows + 1] = fields
    end
  end
  return rows
end

local function named(rows)
  local names, list = rows[1] or {}, {}
  local seen = {}
  for _, name in ipairs(names) do
    if name == "" or seen[name] then
      fail(1, name == "" and "a column of the header has no name" or ("two columns are called '%s'"):format(name))
    end
    seen[name] = true
  end
  for i = 2, #rows do
    if #rows[i] ~= #names then
      fail(i, ("%d fields, and the header has %d"):format(#rows[i], #names))
    end
    local item = {}
    for column, name in ipairs(names) do
      item[name] = rows[i][column]
    end
    list[i - 1] = item
  end
  return list
end

local function parse(text, separator, header)
  local rows = rows_of(text, separator)
  return views.json.array(header and named(rows) or rows)
end

--- The rows of a text: lists of texts, or with `header = true` tables by the names of the first row. Empty lines are left out.
-- @tparam string text
-- @tparam table options  header, separator
function M.parse(text, options)
  if type(text) ~= "string" then
    error("csv.parse wants text, got a " .. type_of(text), 2)
  end
  local header = option("csv.parse", options, "header")
  if header ~= nil and type(header) ~= "boolean" then
    error("csv.parse: header is true or false", 2)
  end
  local ok, rows = pcall(parse, text, separator_of("csv.parse", options), header)
  if not ok then
    error("csv.parse: " .. rows, 2)
  end
  return rows
end

-- ---- encode ----

local function cell(value, row, separator)
  local kind = type_of(value)
  if kind == "nil" or kind == "null" then
    return ""
  elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    fail(row, ("a %s is no value of a cell"):format(kind))
  end
  local text = text_of(value)
  if text:find "[\"\r\n]" or text:find(separator, 1, true) or text:find "^%s" or text:find "%s$" then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

local function line_of(item, row, separator, names)
  local cells = {}
  for i = 1, names and #names or #item do
    cells[i] = cell(item[names and names[i] or i], row, separator)
  end
  if #cells == 0 then
    fail(row, names and "the header has no names" or "an empty row, or one with names: write header = { \"name\", … }")
  end
  return table.concat(cells, separator) .. "\r\n"
end

local function encode(rows, separator, names)
  local lines = { names and line_of(names, 0, separator) }
  for i, item in views.words.ipairs(rows) do
    if type_of(item) ~= "table" then
      fail(i, ("a row is a list or a table, got a %s"):format(type_of(item)))
    end
    lines[#lines + 1] = line_of(item, i, separator, names)
  end
  return table.concat(lines)
end

--- Rows as text, each line ended by CR LF. Rows are lists; with `header = { "a", "b" }`, which is written first, tables.
-- @tparam table rows  may be a view
-- @tparam table options  header, separator
function M.encode(rows, options)
  if type_of(rows) ~= "table" then
    error("csv.encode wants a list of rows, got a " .. type_of(rows), 2)
  end
  local header = option("csv.encode", options, "header")
  if header ~= nil and type(header) ~= "table" then
    error("csv.encode: header is a list of names", 2)
  end
  local ok, text = pcall(encode, rows, separator_of("csv.encode", options), header)
  if not ok then
    error("csv.encode: " .. text, 2)
  end
  return text
end

return M
