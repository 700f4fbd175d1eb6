--- tidewire api: the words of rules in the terminal, as a document, and for editors.
-- @module tidewire.cli.api
local files = require "tidewire.cli.files"
local json = require "tidewire.cli.json"
local reference = require "tidewire.reference"
local reference_text = require "tidewire.reference_text"
local screen = require "tidewire.cli.screen"
local suggest = require "tidewire.suggest"

local M = { summary = "the words of rules: api, api route, api retry, api text.trim" }

function M.describe(command)
  command:argument("word", "a sentence, a library, an option or a word"):args "?"
  command:flag("--meta", "write the editor's file, .tidewire/api.lua")
  command:flag("--markdown", "print all of it as a document")
end

--- Sections and entries as one list: { word, section, entry (nil for a section), names }.
local function all_items()
  local items = {}
  for _, section in ipairs(reference) do
    items[#items + 1] = { section = section, names = { section.name } }
    for _, entry in ipairs(section.entries) do
      items[#items + 1] = { section = section, entry = entry, names = { entry[1], section.name .. "." .. entry[1],
        section.name .. ":" .. entry[1] } }
    end
  end
  return items
end

local function find(word)
  local found, names = {}, {}
  for _, item in ipairs(all_items()) do
    for _, name in ipairs(item.names) do
      names[name] = true
      if name == word then
        found[#found + 1] = item
      end
    end
  end
  return found, suggest.names_of(names)
end

local function entry_row(section, entry)
  return { reference_text.written(section, entry), entry[2] or "", entry.default or "", entry[3] or "" }
end

local heads = { "word", "type", "default", "" }

local function print_section(section)
  if screen.terminal then
    print(("%s\n  %s\n"):format(section.form or section.name, section.text))
  end
  local rows = {}
  for i, entry in ipairs(section.entries) do
    rows[i] = entry_row(section, entry)
  end
  screen.rows(heads, rows)
end

local function print_entry(section, entry)
  if not screen.terminal then
    return screen.rows(heads, { entry_row(section, entry) })
  end
  print(("%s   (%s)"):format(reference_text.written(section, entry), section.form or section.of or section.name))
  for _, part in ipairs { { "", entry[3] }, { "type: ", entry[2] }, { "default: ", entry.default } } do
    if part[2] and part[2] ~= "" then
      print("  " .. part[1] .. part[2])
    end
  end
end

local function object_of(section, entry)
  return { section = section.name, word = reference_text.written(section, entry), type = entry[2], text = entry[3],
    default = entry.default }
end

local function print_json(item)
  for _, entry in ipairs(item.entry and { item.entry } or item.section.entries) do
    print(json.encode(object_of(item.section, entry)))
  end
end

local function overview()
  local rows = {}
  for i, section in ipairs(reference) do
    rows[i] = { section.name, section.text }
  end
  screen.rows({ "section", "" }, rows)
  screen.hint "Next: tidewire api route"
end

local function write_meta(arguments)
  local path = (arguments.folder or ".") .. "/.tidewire/api.lua"
  local ok, why = files.write(path, reference_text.meta(reference), true)
  if not ok then
    screen.fail(why)
    return 1
  end
  print(path)
  return 0
end

function M.run(arguments)
  if arguments.meta then
    return write_meta(arguments)
  elseif arguments.markdown then
    io.write(reference_text.markdown(reference))
    return 0
  elseif not arguments.word and not arguments.json then
    overview()
    return 0
  end
  local found, names = find(arguments.word)
  if not arguments.word then
    found = {}
    for i, section in ipairs(reference) do
      found[i] = { section = section }
    end
  elseif #found == 0 then
    screen.fail(("there is no word '%s'%s"):format(arguments.word, screen.did_you_mean(arguments.word, names)))
    return 5
  end
  for i, item in ipairs(found) do
    if arguments.json then
      print_json(item)
    elseif item.entry then
      print_entry(item.section, item.entry)
    else
      print_section(item.section)
    end
    if i < #found and screen.terminal and not arguments.json then
      print()
    end
  end
  return 0
end

return M
