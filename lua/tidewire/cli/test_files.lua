--- Which test files there are, and which rules each is about.
-- @module tidewire.cli.test_files
local test_native = require "tidewire.test_native"

local M = {}

local function without_dot(path)
  return (path:gsub("^%./", ""))
end

local function folder_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

--- The folder given to `run` and the folder of the rule files, for a test file: the nearest `rules` above it, else `given`.
local function place_of(path, given)
  local above = ("/" .. folder_of(path) .. "/"):match "^(.*/)rules/"
  if not above then
    return given, given
  end
  local folder = above:sub(2):gsub("/$", "")
  folder = folder == "" and (path:sub(1, 1) == "/" and "/" or ".") or folder
  return folder, folder .. "/rules"
end

local function is_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" -- nil of a folder
  if file then
    file:close()
  end
  return text
end

--- Test files of what was named, each once, sorted by name; or nil and what is missing.
local function find(names)
  local found, known = {}, {}
  local function add(path, given, text)
    path = without_dot(path)
    if not known[path] then
      known[path] = true
      local folder, rules = place_of(path, given)
      found[#found + 1] = { name = path, run_folder = folder, folder = rules, text = text }
    end
  end
  for _, name in ipairs(names) do
    local text = is_file(name)
    local paths = not text and test_native.test_files(name)
    if not text and not paths then
      return nil, ("there is no file and no folder %s"):format(name)
    elseif text then
      add(name, folder_of(name), text)
    end
    for _, path in ipairs(paths or {}) do
      add(path, name, is_file(path) or "")
    end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

--- Cuts the files of each folder into at most `most` pieces; the rules are loaded once for each.
local function cut(found, most)
  local pieces, of_folder = {}, {}
  for _, file in ipairs(found) do
    local own = of_folder[file.run_folder] or { count = 0 }
    of_folder[file.run_folder] = own
    local place = own.count % most + 1
    own.count = own.count + 1
    if not own[place] then
      own[place] = { folder = file.run_folder, files = {} }
      pieces[#pieces + 1] = own[place]
    end
    table.insert(own[place].files, file)
  end
  return pieces
end

--- @tparam {string,...} names  files and folders; none: the folder
-- @tparam ?string folder
-- @tparam number most  pieces of one folder
-- @treturn table|nil  pieces { folder: given to `run`; files: { name, text, folder: of the rule files } }; or nil and why
function M.pieces(names, folder, most)
  if #names == 0 then
    names = { folder or "." }
  end
  local found, why = find(names)
  if not found then
    return nil, why
  elseif #found == 0 then
    return nil, ("there are no tests in %s: write rules/NAME_test.lua beside a rule file"):format(table.concat(names, ", "))
  end
  return cut(found, most)
end

return M
