--- The rules of a folder as data for commands: checked in C first, with every limit, and then loaded once more here.
-- @module tidewire.cli.rules_of
local loader = require "tidewire.loader"
local native = require "tidewire.native"
local screen = require "tidewire.cli.screen"
local values = require "tidewire.values"

local M = {}

local DEPTH_MAX = 4 -- of functions and tables inside a handler's variables

local function add_targets(value, found, seen, depth)
  local name = values.target_name(value)
  if name then
    found[name] = true
  elseif depth == 0 or seen[value] then
    return
  elseif type(value) == "table" then
    seen[value] = true
    for _, item in next, value do
      add_targets(item, found, seen, depth - 1)
    end
  elseif type(value) == "function" then
    seen[value] = true
    for i = 1, math.huge do
      local variable, content = debug.getupvalue(value, i)
      if not variable then return end
      if content ~= nil then
        add_targets(content, found, seen, depth - 1)
      end
    end
  end
end

--- The names of the targets that a handler can reach by its variables, sorted.
function M.targets_of(handler)
  local found, names = {}, {}
  add_targets(handler, found, {}, DEPTH_MAX)
  for name in pairs(found) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- @tparam string folder  the one given to `run`
-- @treturn table|nil  what the loader gives for a check; nil: there were mistakes, which are printed
function M.load(folder)
  local checked = native.check(folder, false, screen.colour)
  if checked.errors > 0 then
    io.stderr:write(checked.text)
    return nil
  end
  return M.run(native.rule_files())
end

--- Texts as rule files, without the limits of a check: for what was checked, or is ours.
-- @tparam {table,...} files  { name, module, text }
function M.run(files)
  return loader.run {
    mode = "check", files = files,
    host = {
      env = os.getenv,
      secret = function(name) return os.getenv(name) ~= nil end,
      secret_fits = function() return true end,
      step = function() end,
    },
  }
end

return M
