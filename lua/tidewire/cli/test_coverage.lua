--- Which lines of handlers no test has run.
-- @module tidewire.cli.test_coverage
local bytecode = require "tidewire.loader.bytecode"
local json = require "tidewire.cli.json"
local screen = require "tidewire.cli.screen"

local M = {}

local Coverage = {}
Coverage.__index = Coverage

local function sorted(lines)
  local list = {}
  for line in pairs(lines) do
    list[#list + 1] = line
  end
  table.sort(list)
  return list
end

--- What one process has run.
-- @tparam table files  { name, text } … of native.check
-- @tparam table covered  for each of them: line → true
-- @treturn table  for each rule file { file, lines = { { line, text } … }: all that can be run, run = { line … } }
function M.of(files, covered)
  local list = {}
  for i, file in ipairs(files) do
    local chunk = file.name ~= "tidewire.lua" and loadstring(file.text)
    if chunk then
      local texts, lines = {}, {}
      for text in (file.text .. "\n"):gmatch "([^\n]*)\n" do
        texts[#texts + 1] = text
      end
      for k, line in ipairs(sorted(bytecode.lines(chunk))) do
        lines[k] = { line = line, text = texts[line] }
      end
      list[#list + 1] = { file = file.name, lines = lines, run = sorted(covered[i]) }
    end
  end
  return list
end

--- What all of them together have run.
function M.new()
  return setmetatable({ files = {}, by_name = {} }, Coverage)
end

local function path_of(part)
  return part.folder == "." and part.file or part.folder .. "/" .. part.file
end

function Coverage:add(part)
  local name = path_of(part)
  local file = self.by_name[name]
  if not file then
    file = { name = name, lines = part.lines, run = {} }
    self.by_name[name] = file
    self.files[#self.files + 1] = file
  end
  for _, line in ipairs(part.run) do
    file.run[line] = true
  end
end

local function missed_of(file)
  local missed = {}
  for _, line in ipairs(file.lines) do
    if not file.run[line.line] then
      missed[#missed + 1] = line
    end
  end
  return missed
end

local function print_json(file, missed)
  local lines = json.array {}
  for i, line in ipairs(missed) do
    lines[i] = line.line
  end
  print(json.encode { kind = "coverage", file = file.name, lines = #file.lines, missed = lines })
end

--- @tparam boolean as_json  one object for each file
function Coverage:print(as_json)
  table.sort(self.files, function(a, b) return a.name < b.name end)
  if not as_json then
    print ""
  end
  for _, file in ipairs(self.files) do
    local missed = missed_of(file)
    if as_json then
      print_json(file, missed)
    else
      print(("%s  %d of %d lines in functions were run"):format(file.name, #file.lines - #missed, #file.lines))
      for _, line in ipairs(missed) do
        print(("%s %4d │ %s"):format(screen.colour and "\027[31m✗\027[0m" or "  ✗", line.line, line.text))
      end
    end
  end
end

return M
