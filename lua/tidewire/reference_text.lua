--- tidewire.reference as text: for a terminal, as a document, and for the Lua language server.
-- @module tidewire.reference_text
local M = {}

-- ---- types of functions: "(name: type, name?: type): result, result" ----

--- The text split at commas that stand in no bracket.
local function split(text)
  local parts, depth, from = {}, 0, 1
  for at = 1, #text do
    local c = text:sub(at, at)
    depth = depth + (c:find "[%({<%[]" and 1 or c:find "[%)}>%]]" and -1 or 0)
    if c == "," and depth == 0 then
      parts[#parts + 1] = text:sub(from, at - 1):match "^%s*(.-)$"
      from = at + 1
    end
  end
  if from <= #text then
    parts[#parts + 1] = text:sub(from):match "^%s*(.-)$"
  end
  return parts
end

--- @treturn table|nil  { { name, optional, type } … }; nil: the type is none of a function
-- @treturn {string,...}  types of the results
local function signature_of(type_text)
  local inside, results = type_text:match "^(%b())%s*:?%s*(.*)$"
  if not inside then
    return nil
  end
  local parameters = {}
  for i, part in ipairs(split(inside:sub(2, -2))) do
    local name, optional, kind = part:match "^([%w_.]+)(%??):%s*(.*)$"
    parameters[i] = { name = name, optional = optional == "?", type = kind }
  end
  return parameters, split(results)
end

--- "text.trim(s)", "event:get(path, default?)", or the name alone where there is nothing to call.
local function call_of(front, entry)
  local parameters = entry[2] and signature_of(entry[2])
  if not parameters then
    return front .. entry[1]
  end
  local names = {}
  for i, parameter in ipairs(parameters) do
    names[i] = parameter.name .. (parameter.optional and "?" or "")
  end
  return ("%s%s(%s)"):format(front, entry[1], table.concat(names, ", "))
end

--- How an entry of a section is written in a rule.
function M.written(section, entry)
  local is_method = section.kind == "object" and entry[2]:sub(1, 1) == "("
  local front = section.kind == "library" and section.name .. "." or is_method and section.name .. ":" or ""
  return call_of(front, entry)
end

-- ---- the document ----

local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function option_row(entry)
  return ("| `%s` | `%s` | %s | %s |"):format(entry[1], cell(entry[2]), cell(entry.default or ""), cell(entry[3]))
end

local function word_row(section, entry)
  local result = entry[2]:match "^%b()%s*:%s*(.*)$" or not entry[2]:find "^%(" and entry[2]
  local arrow = result and (" → `%s`"):format(cell(result)) or ""
  return ("| `%s`%s | %s |"):format(cell(M.written(section, entry)), arrow, cell(entry[3]))
end

local function add_table(lines, section)
  local are_options = section.kind == "sentence" or section.kind == "options"
  lines[#lines + 1] = are_options and "| Option | Value | Default | |\n|---|---|---|---|" or "| Word | |\n|---|---|"
  for _, entry in ipairs(section.entries) do
    lines[#lines + 1] = are_options and option_row(entry) or word_row(section, entry)
  end
end

local function add_names(lines, section)
  local names = {}
  for i, entry in ipairs(section.entries) do
    names[i] = "`" .. entry[1] .. "`"
  end
  lines[#lines + 1] = table.concat(names, " ")
end

local head = [[
# Words of rules

Made by `tidewire api --markdown` from `lua/tidewire/reference/`; `README.md` beside it tells how they belong together.
A `Duration` is text such as "250ms", "10s", "5m", "2h", "3d"; a `Size` "64KiB" or "1MiB"; a `Rate` "10/s" or "20/m".]]

--- lua/REFERENCE.md
function M.markdown(reference)
  local lines = { head }
  for _, section in ipairs(reference) do
    lines[#lines + 1] = ("\n## %s\n\n%s\n"):format(section.form and "`" .. section.form .. "`" or section.name, section.text)
    if section.kind == "lua" then
      add_names(lines, section)
    else
      add_table(lines, section)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- ---- for the Lua language server ----

local aliases = [[
---@alias Duration string a number and a unit: "250ms", "10s", "5m", "2h", "3d"
---@alias Size string "64KiB", "1MiB"
---@alias Rate string "10/s", "20/m", "100/h"

---@class Secret
---@operator concat(string): Secret
---@class Target
---@class Provider
---@class Verify
---@class Sign
---@class Auth
]]

local function sentence_text(entry)
  return entry[3] .. (entry.default and (" Default: %s."):format(entry.default) or "")
end

local function add_fields(lines, section)
  lines[#lines + 1] = ("\n---%s\n---@class %s"):format(section.text, section.class)
  for _, entry in ipairs(section.entries) do
    if entry[2]:sub(1, 1) ~= "(" then
      local optional = section.kind ~= "object" and not entry[3]:find "Needed%.$" and "?" or ""
      lines[#lines + 1] = ("---@field %s%s %s %s"):format(entry[1], optional, entry[2], sentence_text(entry))
    end
  end
end

--- One function, with the text that an editor shows for it.
local function add_function(lines, front, entry)
  local parameters, results = signature_of(entry[2])
  if not parameters then
    lines[#lines + 1] = ("---%s\n---@type %s\n%s%s = nil"):format(entry[3], entry[2], front, entry[1])
    return
  end
  local names = {}
  lines[#lines + 1] = "\n---" .. entry[3]
  for i, parameter in ipairs(parameters) do
    names[i] = parameter.name
    lines[#lines + 1] = ("---@param %s%s %s"):format(parameter.name, parameter.optional and "?" or "", parameter.type)
  end
  for _, result in ipairs(results) do
    lines[#lines + 1] = "---@return " .. result
  end
  lines[#lines + 1] = ("function %s%s(%s) end"):format(front, entry[1], table.concat(names, ", "))
end

local function add_object(lines, section)
  add_fields(lines, section)
  lines[#lines + 1] = ("local %s = {}"):format(section.class)
  for _, entry in ipairs(section.entries) do
    if entry[2]:sub(1, 1) == "(" then
      add_function(lines, section.class .. ":", entry)
    end
  end
end

local function add_sentence(lines, section)
  add_fields(lines, section)
  local result = section.result and ": " .. section.result or ""
  lines[#lines + 1] = ("\n---%s\n---@param name string"):format(section.text)
  lines[#lines + 1] = ("---@return fun(options: %s)%s\nfunction %s(name) end"):format(section.class, result, section.name)
end

local add = {
  sentence = add_sentence,
  options = add_fields,
  object = add_object,
  lua = function() end,
  words = function(lines, section)
    for _, entry in ipairs(section.entries) do
      if entry[1] ~= "print" and entry[1] ~= "require" then -- the language server knows them
        add_function(lines, "", entry)
      end
    end
  end,
  library = function(lines, section)
    lines[#lines + 1] = ("\n---%s\n%s = {}"):format(section.text, section.name)
    for _, entry in ipairs(section.entries) do
      add_function(lines, section.name .. ".", entry)
    end
  end,
}

--- .tidewire/api.lua
function M.meta(reference)
  local lines = { "---@meta tidewire", "-- Written by tidewire for editors; `tidewire api --meta` writes it again.\n", aliases }
  for _, section in ipairs(reference) do
    add[section.kind](lines, section)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Every name that a rule file can use without declaring it, sorted.
function M.globals(reference)
  local names = {}
  for _, section in ipairs(reference) do
    if section.kind == "sentence" or section.kind == "library" then
      names[#names + 1] = section.name
    elseif section.kind == "words" or section.kind == "lua" then
      for _, entry in ipairs(section.entries) do
        names[#names + 1] = entry[1]
      end
    end
  end
  table.sort(names)
  return names
end

return M
