--- sample.PROVIDER.TYPE and sample.saved.NAME: requests to `feed`, as they are or with changes.
-- @module tidewire.trial.sample
local profiles = require "tidewire.loader.provider"
local samples = require "tidewire.samples"
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"

local M = {}

local sample_meta = {}

--- sample.github.push { body = { … }, headers = { … }, sign_with = "…" }: the same sample with changes.
function sample_meta.__call(sample, changes)
  local changed = setmetatable({}, sample_meta)
  for name, value in pairs(sample) do
    changed[name] = value
  end
  for name, value in pairs(changes or {}) do
    if name == "body" and type(value) ~= "string" and sample.changes then
      changed.changes = { value, unpack(sample.changes) }
    elseif name == "body" and type(value) ~= "string" then
      changed.body = views.json.encode(views.words.merge(views.json.decode(sample.body), value))
    elseif name == "headers" then
      changed.headers = views.words.merge(sample.headers or {}, value)
    else
      changed[name] = value
    end
  end
  return changed
end

--- A request out of the text of a saved sample, which is JSON.
function M.read(text)
  local saved = views.json.decode(text)
  local headers = {}
  for header, value in views.words.pairs(saved.headers or {}) do
    headers[header] = value
  end
  local body = saved.text or saved.body ~= nil and views.json.encode(saved.body) or ""
  return setmetatable({ method = saved.method, type = saved.type, query = saved.query, headers = headers, body = body },
    sample_meta)
end

local function read_saved(folder, name)
  local file = io.open(("%s/samples/%s.json"):format(folder, name), "rb")
  if not file then
    return nil
  end
  local text = file:read "*a"
  file:close()
  return M.read(text)
end

--- What is asked of sample.saved["name"]: a file of rules/samples.
local function saved_samples(folder)
  return setmetatable({}, { __index = function(_, name)
    local sample = read_saved(folder, name)
    if not sample then
      error(("there is no file samples/%s.json: tidewire events save ID --name %s writes one"):format(tostring(name),
        tostring(name)), 2)
    end
    return sample
  end })
end

--- `fresh` of such a sample makes it anew for each feed, `changes` are of its body, the last one first.
local function samples_of(provider, folder)
  local own, profile = samples.of(provider, folder), samples.profile(provider, folder)
  return setmetatable({}, { __index = function(_, name)
    local given = own[name]
    if not given then
      error(("%s has no sample %q%s: there are %s"):format(provider, tostring(name), suggest.hint(name, samples.names(own)),
        table.concat(samples.names(own), ", ")), 2)
    end
    local function fresh()
      return samples.fresh(profile, name, given)
    end
    return setmetatable({ type = name, fresh = fresh, changes = {} }, sample_meta)
  end })
end

--- The word `sample`.
-- @tparam string folder  the one given to `run`
-- @tparam string rules  of the rule files: the saved ones are in its folder samples
function M.word(folder, rules)
  local made = { saved = saved_samples(rules) }
  local names = { "saved", "generic", unpack(profiles.names) }
  return setmetatable({}, { __index = function(_, name)
    if not made[name] and (name == "generic" or samples.profile(name, folder)) then
      made[name] = samples_of(name, folder)
    end
    return made[name] or error(("there are no samples of %q%s"):format(tostring(name), suggest.hint(name, names)), 2)
  end })
end

return M
