--- compat.*: functions that were written for other routers, from files of the folder compat/ of the rules. Such a file is
-- compiled and otherwise left alone: its names are those of the program it was written for.
-- @module tidewire.loader.compat
local check = require "tidewire.loader.check"
local findings = require "tidewire.loader.findings"
local fluentbit = require "tidewire.compat.fluentbit"
local plain = require "tidewire.compat.plain"
local suggest = require "tidewire.suggest"
local webhookrelay = require "tidewire.compat.webhookrelay"

local M = {}

--- The file of that name in compat/; nil: there is none, which is said.
local function file_of(self, name)
  local file = type(name) == "string" and self.load.foreign[name]
  if not file and not self.load.is_inert(name) then
    local hint, suggestion = findings.near(name, suggest.names_of(self.load.foreign))
    self:fault({}, ("there is no file %s in the folder compat/ of the rules"):format(check.shown(name)),
      { hint = hint, suggestion = suggestion })
  end
  return file
end

--- The file as a function that gives the script with another environment each time: what a script makes global ends with it.
local function script_of(file)
  local chunk = assert(loadstring("return function() " .. file.text .. "\nend", "=" .. file.name))
  return function(environment)
    return setfenv(chunk, environment)()
  end
end

local function webhookrelay_word(load)
  return function(name, values)
    local file, line = load.where()
    local self = check.new(load, "compat.webhookrelay", file, line)
    local script = file_of(self, name)
    if values ~= nil and type(values) ~= "table" then
      self:fault({}, ("wants the values of cfg as a table, got %s"):format(check.shown(values)))
    end
    if not script or not script.compiles then return load.inert end
    return webhookrelay.handler(script_of(script), values or {}, load.words)
  end
end

-- ---- Fluent Bit: a file of functions, one of which is the filter ----

local fluentbit_fields = { call = check.text, tag = check.text, time_as_table = check.boolean }

local function functions_of(environment, words)
  local names = {}
  for name, value in pairs(environment) do
    if type(value) == "function" and rawget(words, name) == nil then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- The function of that name, which the file has made; nil: it did not, which is said.
local function find_filter(self, script, name)
  local environment = plain.environment(self.load.words)
  local ok, why = pcall(setfenv(loadstring(script.text, "=" .. script.name), environment))
  if not ok then
    return self:fault({}, tostring(why), { bare = true })
  elseif type(environment[name]) == "function" then
    return environment[name]
  end
  local first = functions_of(environment, self.load.words)[1]
  self:fault({}, ("%s has no function %s"):format(script.name, name),
    { hint = first and ("write call = %q"):format(first) or "a filter is a function (tag, timestamp, record)" })
end

local function fluentbit_word(load)
  return function(name, given)
    local file, line = load.where()
    local self = check.new(load, "compat.fluentbit", file, line)
    if given ~= nil and type(given) ~= "table" then
      self:fault({}, ("wants its options as a table, got %s"):format(check.shown(given)),
        { hint = "for example { call = \"cb_filter\" }" })
      return load.inert
    end
    local script, options = file_of(self, name), self:fields({}, given or {}, fluentbit_fields)
    options.call, options.tag = options.call or "cb_filter", options.tag or "webhook"
    local filter = script and script.compiles and find_filter(self, script, options.call)
    return filter and fluentbit.handler(filter, options) or load.inert
  end
end

function M.words(load)
  return { webhookrelay = webhookrelay_word(load), fluentbit = fluentbit_word(load) }
end

return M
