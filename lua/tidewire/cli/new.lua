--- tidewire new: the frame of a route, target, task, test or provider profile.
-- @module tidewire.cli.new
local files = require "tidewire.cli.files"
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local rules_of = require "tidewire.cli.rules_of"
local screen = require "tidewire.cli.screen"
local suggest = require "tidewire.suggest"
local templates = require "tidewire.cli.templates"

local M = { summary = "the frame of a route, target, task, test or provider: new route github --provider github" }

function M.describe(command)
  command:argument("kind", "route, target, task, test or provider")
  command:argument("name", "its name; of a route the path")
  command:option("--provider", "of a route: whose webhooks it takes"):argname "NAME"
end

local function rules_folder(folder)
  return native.is_folder(folder .. "/rules") and folder .. "/rules" or folder
end

--- A profile that is not there, or a word that is not built yet, is said before a file is written.
local function cannot_load(file, text, own_profile)
  for _, finding in ipairs(rules_of.run { { name = file, module = "", text = text }, own_profile }.findings) do
    if finding.message:find "^there is no provider%." or finding.message:find "comes with a later version" then
      return finding.message .. (finding.hint ~= "" and ", " .. finding.hint or "")
    end
  end
end

--- The user's own profile of that name as a rule file; nil: there is none.
local function own_profile_of(folder, provider)
  local name = "providers/" .. tostring(provider) .. ".lua"
  local file = io.open(folder .. "/" .. name)
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text and { name = "rules/" .. name, module = "providers." .. provider, text = text }
end

local is_rule = { route = true, target = true, task = true }

local function wrong_usage(arguments)
  local kinds = suggest.names_of(templates.new)
  if not templates.new[arguments.kind] then
    return ("there is no '%s' to make%s\n  kinds: %s"):format(arguments.kind, screen.did_you_mean(arguments.kind, kinds),
      table.concat(kinds, ", "))
  elseif arguments.provider and arguments.kind ~= "route" then
    return "--provider is an option of new route"
  elseif arguments.provider and not arguments.provider:find "^[%w_]+$" then
    return ("'%s' is no name of a provider"):format(arguments.provider)
  end
  local is_path = arguments.kind == "route" or arguments.kind == "test"
  local name = is_path and arguments.name:gsub("^/", "") or arguments.name
  if not name:find(is_path and "^[%w:][%w%-_:/*.]*$" or "^%a[%w_]*$") then
    return ("'%s' is no name for a %s: write letters, digits and '_'%s"):format(arguments.name, arguments.kind,
      is_path and ", or a path" or "")
  end
end

function M.run(arguments)
  local wrong = wrong_usage(arguments)
  if wrong then
    screen.fail(wrong)
    return 2
  end
  local file, text = templates.new[arguments.kind](arguments.name, arguments.provider)
  local folder = rules_folder(arguments.folder or ".")
  wrong = is_rule[arguments.kind] and cannot_load(file, text, own_profile_of(folder, arguments.provider))
  if wrong then
    screen.fail(wrong)
    return 5
  end
  local path = folder .. "/" .. file
  local ok, why = files.write(path, text)
  if not ok then
    screen.fail(why)
    return 1
  end
  print(arguments.json and json.encode { path = path } or path)
  screen.hint "Next: tidewire check"
  return 0
end

return M
