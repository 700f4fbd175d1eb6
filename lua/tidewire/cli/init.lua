--- tidewire init: a folder to begin with: a first rule and its test, and what editors want to know.
-- @module tidewire.cli.init
local files = require "tidewire.cli.files"
local hooks = require "tidewire.cli.hooks"
local json = require "tidewire.cli.json"
local reference = require "tidewire.reference"
local reference_text = require "tidewire.reference_text"
local screen = require "tidewire.cli.screen"
local templates = require "tidewire.cli.templates"

local M = { summary = "write a first rule, its test, and the files of editors; nothing is written over" }

function M.describe(command)
  command:argument("new_folder", "where; default: the present folder"):args "?"
  command:option("--from", "move in: a hooks.json or hooks.yaml of adnanh/webhook becomes the first rules"):argname "FILE"
end

--- The first rules: what is moved in, or a greeting.
-- @treturn table|nil  { path, text } …, or nil and what is wrong
-- @treturn {string,...}  what is left to do
local function first_rules(from)
  if not from then
    return { { "rules/hello.lua", templates.first_rule }, { "rules/hello_test.lua", templates.first_test } }, {}
  end
  local file, why = io.open(from, "rb")
  if not file then
    return nil, why
  end
  local text, notes = hooks.convert(file:read "*a", from:match "[^/]*$")
  file:close()
  if not text then
    return nil, notes
  end
  return { { "rules/hooks.lua", text } }, notes
end

local function for_editors()
  return {
    { ".gitignore", templates.gitignore },
    { ".luarc.json", templates.luarc },
    { ".luacheckrc", templates.luacheckrc() },
    { ".tidewire/api.lua", reference_text.meta(reference) },
  }
end

local function say(arguments, path, written)
  if arguments.json then
    print(json.encode { path = path, written = written })
  else
    screen.rows({ "", "" }, { { written and "written" or "kept", path } })
  end
end

function M.run(arguments)
  local folder = arguments.new_folder or arguments.folder or "."
  local contents, notes = first_rules(arguments.from)
  if not contents then
    screen.fail(notes)
    return 1
  end
  for _, content in ipairs(for_editors()) do
    contents[#contents + 1] = content
  end
  for _, content in ipairs(contents) do
    local path = folder .. "/" .. content[1]
    local is_there = files.exists(path)
    if not is_there then
      local ok, why = files.write(path, content[2])
      if not ok then
        screen.fail(why)
        return 1
      end
    end
    say(arguments, path, not is_there)
  end
  for _, note in ipairs(notes) do
    print("to do: " .. note)
  end
  screen.hint(("Next: tidewire run %s, and elsewhere: tidewire send /github push"):format(folder))
  return 0
end

return M
