--- What a test file shares with the rules beside it: require "lib.name", secret "NAME", env "NAME".
-- @module tidewire.trial.rules
local loader = require "tidewire.loader"
local native = require "tidewire.native"
local trial = require "tidewire.trial_native"

local M = {}

--- The rules as a worker loads them, in the state of the test file.
local function load_rules()
  local host = { env = trial.setting, stand_in = trial.stand_in, secret = function() return true end }
  local run = coroutine.wrap(loader.run)
  local loaded = run { mode = "worker", files = native.rule_files(), host = host }
  while type(loaded) ~= "table" do -- it yields before each file
    loaded = run()
  end
  return loaded.words
end

--- The words; the rules are loaded when one of them is first used.
function M.words()
  local loaded
  local function word(name)
    return function(...)
      loaded = loaded or load_rules()
      return loaded[name](...)
    end
  end
  return { require = word "require", secret = word "secret", env = word "env" }
end

return M
