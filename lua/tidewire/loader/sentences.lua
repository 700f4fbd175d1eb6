--- The words of a file: route, target, task, batch, provider.*, verify.*, sign.*, auth.*, secret, env, require.
-- @module tidewire.loader.sentences
local batch = require "tidewire.loader.batch"
local batch_words = require "tidewire.batch"
local check = require "tidewire.loader.check"
local compat = require "tidewire.loader.compat"
local findings = require "tidewire.loader.findings"
local provider = require "tidewire.loader.provider"
local route = require "tidewire.loader.route"
local sign = require "tidewire.loader.sign"
local suggest = require "tidewire.suggest"
local target = require "tidewire.loader.target"
local task = require "tidewire.loader.task"
local task_words = require "tidewire.task"
local values = require "tidewire.values"
local verify = require "tidewire.loader.verify"
local views = require "tidewire.views"

local M = {}

local environment_name = "^[%a_][%w_]*$"

--- A table of words such as provider.*: an unknown one is a mistake with a suggestion, a later one says so.
local function word_table(load, name, words, later)
  return setmetatable({}, {
    __index = function(_, key)
      local word = words[key]
      if word then return word end
      local file, line = load.where()
      local hint, suggestion = findings.near(key, suggest.names_of(words))
      local is_later = later and later[key]
      load.findings:add {
        file = file, line = line, token = load.sources[file] and load.sources[file]:find(line, tostring(key)),
        message = is_later and ("%s.%s comes with a later version"):format(name, key)
          or ("there is no %s.%s"):format(name, tostring(key)),
        hint = not is_later and hint or nil, suggestion = not is_later and suggestion or nil,
      }
      return load.inert
    end,
    __newindex = function() error(name .. " cannot be changed", 2) end,
    __metatable = false,
  })
end

-- ---- route and target ----

local function wants_table(load, sentence, name, given, file, line)
  if type(given) == "table" then
    return true
  end
  if not load.is_inert(given) then
    load.findings:add { file = file, line = line,
      message = ("%s %q wants a table of settings, got %s"):format(sentence, name, check.shown(given)),
      hint = ("write %s %q { … }"):format(sentence, name) }
  end
end

--- `sentence "name" { … }`: what is opened and never gets its table is found at the end of the load.
local function sentence_of(load, sentence, finish)
  return function(name)
    local file, line = load.where()
    if type(name) ~= "string" or name == "" then
      if not load.is_inert(name) then
        load.findings:add { file = file, line = line,
          message = ("%s wants a name as text, got %s"):format(sentence, check.shown(name)),
          hint = sentence == "route" and "write route \"/path\" { … }" or ("write %s \"name\" { … }"):format(sentence) }
      end
      return function() return load.inert end
    end
    local opened = { sentence = sentence, name = name, file = file, line = line }
    load.open[opened] = true
    return function(given)
      load.open[opened] = nil
      if not wants_table(load, sentence, name, given, file, line) then
        return load.inert
      end
      return finish(name, given, file, line)
    end
  end
end

local function declare(load, sentence, key, name, file, line)
  local known = load.declared[sentence]
  local first = known[key]
  if first then
    load.findings:add { file = file, line = line,
      message = ("%s:%d and %s:%d both declare %s %q"):format(file, line, first.file, first.line, sentence, name),
      hint = ("names are the same in all files: rename one, or share it with require \"lib.…\"") }
    return false
  end
  known[key] = { file = file, line = line }
  return true
end

local function route_sentence(load)
  return sentence_of(load, "route", function(path, given, file, line)
    -- "/a/:x" and "/a/:y" are the same entrance
    declare(load, "route", path:gsub("/:[^/]*", "/:"):gsub("/%*.*", "/*"), path, file, line)
    local record, functions = route.make(load, path, given, file, line)
    load.routes[#load.routes + 1] = record
    load.route_functions[path] = functions
  end)
end

local function check_name(load, sentence, name, file, line)
  if #name > 64 or not name:find "^[%w][%w%._-]*$" then
    load.findings:add { file = file, line = line,
      message = ("%s %q: a name has letters, digits, '-', '_' and '.', at most 64"):format(sentence, name) }
  end
end

local function target_sentence(load)
  return sentence_of(load, "target", function(name, given, file, line)
    check_name(load, "target", name, file, line)
    declare(load, "target", name, name, file, line)
    local record, functions, order_by = target.make(load, name, given, file, line)
    load.targets[#load.targets + 1] = record
    load.target_functions[name] = functions
    return values.new("target", { name = name, order_by = order_by })
  end)
end

local function task_sentence(load)
  return sentence_of(load, "task", function(name, given, file, line)
    check_name(load, "task", name, file, line)
    declare(load, "task", name, name, file, line)
    local record, functions = task.make(load, name, given, file, line)
    load.tasks[#load.tasks + 1] = record
    load.route_functions[record.path] = functions
    return values.new("task", { name = name }, task_words.methods(name))
  end)
end

local function batch_sentence(load)
  return sentence_of(load, "batch", function(name, given, file, line)
    check_name(load, "batch", name, file, line)
    declare(load, "batch", name, name, file, line)
    local record, functions = batch.make(load, name, given, file, line)
    load.batches[#load.batches + 1] = record
    load.route_functions[record.path] = functions
    return values.new("batch", { name = name }, batch_words.methods(name, record))
  end)
end

-- ---- values for options ----

local function checker(load, subject)
  local file, line = load.where()
  return check.new(load, subject, file, line)
end

local function options_table(self, word, given)
  if type(given) == "table" then
    return given
  end
  if not self.load.is_inert(given) then
    self:fault({}, ("wants a table, got %s"):format(check.shown(given)), { hint = ("write %s { … }"):format(word) })
  end
  return {}
end

local function provider_words(load)
  load.profiles = provider.words(load)
  return word_table(load, "provider", load.profiles)
end

local function verify_words(load)
  local words = {
    bearer = function(secret)
      return values.new("verify", verify.bearer(checker(load, "verify.bearer"), secret))
    end,
    none = function(why)
      return values.new("verify", verify.none(checker(load, "verify.none"), why))
    end,
  }
  for _, name in ipairs { "hmac", "standard", "basic", "jwt" } do
    local word = "verify." .. name
    words[name] = function(given)
      local self = checker(load, word)
      return values.new("verify", verify[name](self, options_table(self, word, given)))
    end
  end
  return word_table(load, "verify", words, verify.later)
end

local function sign_words(load)
  local words = {}
  for _, name in ipairs { "standard", "hmac", "jwt" } do
    local word = "sign." .. name
    words[name] = function(given)
      local self = checker(load, word)
      return values.new("sign", sign[name](self, options_table(self, word, given)))
    end
  end
  return word_table(load, "sign", words)
end

local function auth_words(load)
  return word_table(load, "auth", {
    bearer = function(token)
      local self = checker(load, "auth.bearer")
      local value = not load.is_inert(token) and self:secret({}, token) or ""
      return values.new("auth", { scheme = "bearer", value = value })
    end,
    basic = function(given)
      local self = checker(load, "auth.basic")
      given = options_table(self, "auth.basic", given)
      local fields = self:fields({}, given, { user = check.text_or_secret, password = check.secret })
      for _, name in ipairs { "user", "password" } do
        if self:lacks(given, name) then
          self:fault({}, "needs " .. name, { hint = "write auth.basic { user = \"…\", password = secret \"NAME\" }" })
        end
      end
      return values.new("auth", { scheme = "basic", user = fields.user or "", value = fields.password or "" })
    end,
    oauth2 = function(given)
      local self = checker(load, "auth.oauth2")
      given = options_table(self, "auth.oauth2", given)
      local fields = self:fields({}, given, { token_url = check.address, id = check.text_or_secret, secret = check.secret,
        scope = check.list(check.line_text) })
      for _, name in ipairs { "token_url", "id", "secret" } do
        if self:lacks(given, name) then
          self:fault({}, "needs " .. name, { hint = "write auth.oauth2 { token_url = \"https://…\", id = \"…\", "
            .. "secret = secret \"NAME\" }" })
        end
      end
      return values.new("auth", { scheme = "oauth2", user = fields.id or "", value = fields.secret or "",
        token_url = fields.token_url or "", scope = table.concat(fields.scope or {}, " ") })
    end,
  })
end

-- ---- secret and env ----

local function secret_word(load)
  return function(...)
    local names = { ... }
    local file, line = load.where()
    for i = 1, math.max(select("#", ...), 1) do
      local name = names[i]
      if load.is_inert(name) then return load.inert end
      if type(name) ~= "string" or not name:find(environment_name) then
        if load.mode == "worker" then
          error(("secret wants a name of letters, digits and '_', got %s"):format(check.shown(name)), 2)
        end
        load.findings:add { file = file, line = line,
          message = ("secret wants a name of letters, digits and '_', got %s"):format(check.shown(name)) }
        return load.inert
      end
      load.need_secret(name, file, line)
    end
    local value = views.secret.new(...)
    load.known_secrets[value] = names
    return value
  end
end

local function env_word(load)
  return function(name, default)
    local file, line = load.where()
    if load.is_inert(name) or load.is_inert(default) then return load.inert end
    if type(name) ~= "string" or not name:find(environment_name) then
      error(("env wants a name of letters, digits and '_', got %s"):format(check.shown(name)), 2)
    elseif default ~= nil and type(default) ~= "string" then
      error(("env %q: the default is text, got %s"):format(name, check.shown(default)), 2)
    end
    return load.need_setting(name, default ~= nil, file, line) or default or load.inert
  end
end

--- Everything a file may say beside the words of handlers.
-- @tparam table load
-- @treturn table  name → value
function M.words(load)
  return {
    route = route_sentence(load), target = target_sentence(load), task = task_sentence(load),
    batch = batch_sentence(load),
    provider = provider_words(load), verify = verify_words(load), compat = word_table(load, "compat", compat.words(load), {}),
    sign = sign_words(load), auth = auth_words(load), secret = secret_word(load), env = env_word(load),
  }
end

return M
