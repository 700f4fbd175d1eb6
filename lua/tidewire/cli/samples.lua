--- tidewire samples: what `tidewire send` can send, and the proof that each profile takes what it signs.
-- @module tidewire.cli.samples
local native = require "tidewire.native"
local profiles = require "tidewire.loader.provider"
local proof = require "tidewire.cli.proof"
local samples = require "tidewire.samples"
local screen = require "tidewire.cli.screen"
local views = require "tidewire.views"

local M = { summary = "what can be sent: samples, samples github; --prove: each profile takes what it signs" }

function M.describe(command)
  command:argument("provider", "one provider only"):args "?"
  command:flag("--prove", "sign the samples of the folder's routes and verify them, whole and altered")
  command:option("--key", "a private key (PEM) to sign with, where the sender has one of its own"):argname "FILE"
end

local function read_key(name)
  local file = name and io.open(name, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text
end

--- A certificate that nobody here has the key of proves nothing.
local function provable(route)
  return route.provider ~= "" and route.verify.scheme ~= "rsa"
end

local function prove(arguments)
  local folder = arguments.folder or "."
  local checked = native.check(folder, false, screen.colour)
  if checked.errors > 0 then
    io.stderr:write(checked.text)
    return 3
  end
  local options = { folder = folder, private_key = read_key(arguments.key) }
  local proved, failed = 0, 0
  for _, route in ipairs(checked.routes) do
    for _, name in ipairs(provable(route) and samples.names(samples.of(route.provider, folder)) or {}) do
      local faults = proof.of(route, name, options)
      proved, failed = proved + (#faults == 0 and 1 or 0), failed + (#faults > 0 and 1 or 0)
      for _, fault in ipairs(faults) do
        print(("✗ %s %s: %s"):format(route.path, name, fault))
      end
    end
  end
  print(("%d proved, %d not"):format(proved, failed))
  return failed > 0 and 1 or 0
end

--- Our profiles and the folder's own, sorted.
local function all_providers(folder)
  native.check(folder, false, false) -- reads the files; their mistakes are for `tidewire check`
  local names = { unpack(profiles.names) }
  for _, file in ipairs(native.rule_files() or {}) do
    names[#names + 1] = file.module:match "^providers%.(.+)$"
  end
  table.sort(names)
  return names
end

function M.run(arguments)
  if arguments.prove then
    return prove(arguments)
  end
  local providers, rows = arguments.provider and { arguments.provider } or all_providers(arguments.folder or "."), {}
  local list = {}
  for _, provider in ipairs(providers) do
    local profile = samples.profile(provider, arguments.folder or ".")
    if not profile then
      local near = screen.did_you_mean(provider, all_providers(arguments.folder or "."))
      screen.fail(("there is no provider '%s'%s"):format(provider, near))
      return 5
    end
    list[provider] = views.json.array(samples.names(samples.of(provider, arguments.folder or ".")))
    for _, name in ipairs(list[provider]) do
      rows[#rows + 1] = { provider, name }
    end
  end
  if arguments.json then
    print(views.json.encode(list))
  else
    screen.rows({ "provider", "sample" }, rows)
  end
  return 0
end

return M
