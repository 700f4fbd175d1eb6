--- Loads rule files: once in a scratch state, where every mistake of every file is found, and then in each worker, which keeps
-- the functions. Settings are data and go to the core; decisions stay here as functions.
--
-- Three passes per file (rules.md 7): the compiled text is walked for names, secrets and assignments; it runs, with unknown names
-- standing for a value that takes anything, so that all sentences are seen; options are checked and found again in the text.
-- @module tidewire.loader
local actions = require "tidewire.actions"
local bytecode = require "tidewire.loader.bytecode"
local environment = require "tidewire.environment"
local findings = require "tidewire.loader.findings"
local limits = require "tidewire.loader.limits"
local provider = require "tidewire.loader.provider"
local sentences = require "tidewire.loader.sentences"
local settings = require "tidewire.loader.settings"
local source = require "tidewire.loader.source"
local suggest = require "tidewire.suggest"
local tls = require "tidewire.loader.tls"

local M = {}

local SETTINGS = "tidewire.lua" -- of the folder of `run`; a rule file's name has its folder before it, or is another
local DIGITS_MAX = 15 -- of a number in a file: beyond that it is another number

local absent_words = {
  coroutine = "coroutines are not offered", io = "rules read and write no files",
  os = "rules reach no processes; time.now() is the clock", debug = "it is not offered", ffi = "it is not offered",
  jit = "it is not offered", package = "write require \"lib.name\"", load = "code is written in files",
  loadstring = "code is written in files", dofile = "write require \"lib.name\"",
  loadfile = "write require \"lib.name\"", rawset = "it is not offered", rawget = "it is not offered",
  _G = "there are no globals",
  collectgarbage = "it is not offered", setfenv = "it is not offered", getfenv = "it is not offered",
}
local tests_stand = "tests stand in files that end in _test.lua"
for _, name in ipairs { "test", "feed", "expect", "sample", "mock", "clock" } do
  absent_words[name] = tests_stand
end
local absent_fields = { ["kv.shared"] = "kv is one space for all rules already: write kv.get, kv.set …" }
local action_words = { "send", "respond", "drop", "fail", "retry", "sleep", "print" }
local action_libraries = {
  log = { "debug", "info", "warn", "error" },
  metric = { "count", "gauge", "observe" },
  http = { "get", "post", "put", "patch", "delete", "request", "all" },
  kv = { "get", "set", "add", "cas", "incr", "delete" },
}

-- ---- a value that takes anything, in place of what is not known ----

local function make_inert()
  local inert = newproxy(true)
  local meta = getmetatable(inert)
  local function itself() return inert end
  for _, event in ipairs { "__index", "__call", "__concat", "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm" } do
    meta[event] = itself
  end
  meta.__newindex = function() end
  meta.__lt = function() return false end
  meta.__le = function() return false end
  meta.__len = function() return 0 end
  meta.__tostring = function() return "?" end
  meta.__metatable = false
  return inert
end

-- ---- what the text alone shows ----

local function check_numbers(load, file)
  for _, token in ipairs(file.source:all_tokens()) do
    local digits = token.kind == "number" and token.text:match "^%d+$"
    if digits and #digits > DIGITS_MAX then
      load.findings:add { file = file.name, token = token,
        message = ("%s has more than %d digits: it would be another number"):format(token.text, DIGITS_MAX),
        hint = ("write %sLL"):format(token.text), suggestion = token.text .. "LL" }
    end
  end
end

local function unknown_name(load, file, use)
  local finding = { file = file.name, line = use.line, token = file.source:find(use.line, use.name) }
  if file.scope.later[use.name] then
    finding.message = ("'%s' comes with a later version"):format(use.name)
  else
    finding.message = ("there is no name '%s' here"):format(use.name)
    finding.hint, finding.suggestion = findings.near(use.name, file.scope.names)
    finding.hint = absent_words[use.name] or finding.hint
  end
  load.findings:add(finding)
end

local function check_literal(load, file, use)
  if use.name == "secret" then
    for _, name in ipairs(use.texts) do
      load.need_secret(name, file.name, use.line)
    end
  elseif #use.texts > 0 then
    load.need_setting(use.texts[1], use.arguments ~= 1, file.name, use.line)
  end
  if #use.texts == 0 and use.depth > 0 then
    load.findings:add { file = file.name, line = use.line, token = file.source:find(use.line, use.name),
      message = ("%s wants its name written out inside a function"):format(use.name),
      hint = ("write %s \"NAME\": a missing one is then found while loading"):format(use.name) }
  end
end

--- A word of a library that is not there, or one that is called with ':'.
local function check_field(load, file, use)
  local names = environment.libraries[use.name]
  if not names or not load.words[use.name] then return end
  local finding = { file = file.name, line = use.line, token = file.source:find(use.line, use.field) }
  for _, name in ipairs(names) do
    if name == use.field then
      if use.is_method then
        finding.message = ("%s:%s is written with a dot"):format(use.name, use.field)
        finding.hint = ("write %s.%s(…)"):format(use.name, use.field)
        load.findings:add(finding)
      end
      return
    end
  end
  finding.message = ("there is no %s.%s"):format(use.name, use.field)
  finding.hint, finding.suggestion = findings.near(use.field, names)
  finding.hint = absent_fields[use.name .. "." .. use.field] or finding.hint
  load.findings:add(finding)
end

--- `send("slack", …)`: the name of a target in place of the target.
local function check_send(load, file, use)
  local name = use.texts[1]
  load.findings:add { file = file.name, line = use.line, token = file.source:find(use.line, ("%q"):format(name)),
    message = "send wants the value from `target`, not its name",
    hint = ("write local a = target %q { … } and send(a, …)"):format(name) }
end

local function check_use(load, file, use)
  local token = file.source:find(use.line, use.name)
  if use.kind == "read" and not file.scope.known[use.name] then
    unknown_name(load, file, use)
  elseif use.kind == "write" then
    load.findings:add { file = file.name, line = use.line, token = token,
      message = ("'%s = …' would make a global variable"):format(use.name),
      hint = ("write 'local %s = %s'"):format(use.name, token and file.source:assigned(token) or "…") }
  elseif use.kind == "assign" then
    load.findings:add { file = file.name, line = use.line, token = token,
      message = ("'%s' is a local of the file: assigned in a function, it changes in one worker only"):format(use.name),
      hint = "declare it inside the function; what has to last belongs into kv: write kv.set or kv.incr" }
  elseif use.kind == "literal" and (use.name == "secret" or use.name == "env") then
    check_literal(load, file, use)
  elseif use.kind == "field" then
    check_field(load, file, use)
  elseif use.kind == "literal" and use.name == "send" and #use.texts > 0 and use.depth > 0 then
    check_send(load, file, use)
  elseif use.kind == "call" and use.name == "send" and use.arguments == 1 and use.depth > 0 then
    load.findings:add { file = file.name, line = use.line, token = token, message = "send wants a message too",
      hint = "write send(target, event), or send(target, { json = … })" }
  end
end

local function scan(load, file)
  check_numbers(load, file)
  for _, use in ipairs(bytecode.scan(file.chunk)) do
    check_use(load, file, use)
  end
end

-- ---- running a file ----

local function note_error(load, file, message, from, from_line)
  local name, line, what = message:match "^(.-):(%d+): (.*)$"
  if not (name and load.sources[name]) then
    local known = from and load.sources[from]
    name, line, what = known and from or file.name, known and from_line or nil, message
  end
  load.findings:add { file = name, line = tonumber(line), message = what }
end

local function compile(load, file)
  local compiled = file.text:byte(1) == 27
  local chunk, why
  if not compiled then
    chunk, why = loadstring(file.text, "=" .. file.name)
  end
  if not chunk then
    note_error(load, file, compiled and file.name .. ":1: this is compiled code, not text" or why)
    return false
  end
  file.chunk = setfenv(chunk, file.scope.environment)
  return true
end

--- A file that was written for another program: that it compiles is all that is asked of it here.
local function compile_foreign(load, file)
  load.sources[file.name] = source.new(file.name, file.text)
  local chunk, why = nil, file.name .. ":1: this is compiled code, not text"
  if file.text:byte(1) ~= 27 then
    chunk, why = loadstring(file.text, "=" .. file.name)
  end
  file.compiles = chunk ~= nil
  if not file.compiles then
    note_error(load, file, why)
  end
end

local function run_file(load, file)
  if load.mode == "worker" then
    return file.chunk()
  end
  local from, line -- of an error that does not say it itself: a value; a full stack, if there is room to look
  local ok, result = xpcall(file.chunk, function(what)
    from, line = load.where()
    return what
  end)
  if ok then
    return result
  end
  if result == "not enough memory" then
    collectgarbage() -- what the file made is in the way of saying so
  elseif type(result) ~= "string" then
    result = ("error with a %s instead of a text"):format(type(result))
  end
  note_error(load, file, result, from, line)
  return load.inert
end

--- require "lib.name": once per state; what the file returns.
local function require_word(load)
  return function(module)
    local file = load.modules[module]
    local from, line = load.where()
    if not file then
      local hint, suggestion = findings.near(module, suggest.names_of(load.modules))
      load.findings:add { file = from, line = line, message = ("there is no file for require %q"):format(tostring(module)),
        hint = hint or "require \"lib.name\" loads lib/name.lua of the rules folder", suggestion = suggestion }
      return load.inert
    elseif file.running then
      load.findings:add { file = from, line = line, message = ("require %q comes back to itself"):format(module) }
      return load.inert
    elseif not file.done then
      file.running = true
      file.result = file.chunk and run_file(load, file) or load.inert
      file.running, file.done = nil, true
    end
    return file.result
  end
end

-- ---- the load ----

--- In a scratch state: actions at the top of a file are mistakes, noted with their line.
local function refuse_actions(load)
  local function refused(word)
    return function()
      local file, line = load.where()
      load.findings:add { file = file, line = line, token = file and load.sources[file]:find(line, word:match "^%w+"),
        message = ("%s() works inside a handler, not while the file loads"):format(word) }
      return load.inert
    end
  end
  for _, word in ipairs(action_words) do
    load.words[word] = refused(word)
  end
  for library, words in pairs(action_libraries) do
    load.words[library] = {}
    for _, word in ipairs(words) do
      load.words[library][word] = refused(library .. "." .. word)
    end
  end
end

--- File and line of the rule that is being run.
local function make_where(load)
  return function()
    for level = 3, 60 do
      local info = debug.getinfo(level, "Sl")
      if not info then return "", 0 end
      local name = info.source:match "^=(.*)$"
      if name and load.sources[name] then
        return name, info.currentline
      end
    end
    return "", 0
  end
end

local function make_needs(load)
  function load.need_secret(name, file, line)
    if load.secrets[name] then return end
    load.secrets[name] = true
    load.secret_names_list[#load.secret_names_list + 1] = name
    local state = load.host.secret(name)
    if load.mode == "check" and state ~= true then
      local token = load.sources[file] and load.sources[file]:find(line, ("%q"):format(name))
      load.findings:add { file = file, line = line, token = token, warning = state ~= "empty" and not load.production,
        message = state == "empty" and ("secret %q is empty: it would protect nothing"):format(name)
          or ("secret %q is not set"):format(name),
        hint = ("set the environment variable %s"):format(name) }
    end
  end

  function load.need_setting(name, has_default, file, line)
    local value = load.host.env(name)
    if not value and not has_default and load.host.stand_in then
      value = load.host.stand_in(name)
      load.stood_in[value or ""] = true
    end
    if load.mode ~= "check" then
      return value
    end
    if value and not load.settings[name] then
      load.settings[name] = value
      load.setting_list[#load.setting_list + 1] = { name, value }
    elseif not value and not has_default then
      local token = load.sources[file] and load.sources[file]:find(line, ("%q"):format(name))
      load.findings:add { file = file, line = line, token = token,
        message = ("env %q is not set"):format(name), hint = ("set it, or give a default: env(%q, \"…\")"):format(name) }
    end
    return value
  end
end

--- The names of a file and what they stand for.
local function scope_of(load, words, later)
  local scope = { names = suggest.names_of(words), known = {}, later = later }
  for _, name in ipairs(scope.names) do
    scope.known[name] = true
  end
  -- in a check the walk over the compiled text says both; a worker's files have passed it
  scope.environment = environment.strict(words, function(name)
    if load.mode == "check" then
      return load.inert
    end
    error(("there is no name '%s' here%s"):format(tostring(name), suggest.hint(name, scope.names)), 3)
  end, function(name)
    if load.mode == "worker" then
      error(("'%s = …' would make a global variable"):format(tostring(name)), 3)
    end
  end)
  return scope
end

local function new_load(how)
  local load = {
    mode = how.mode, host = how.host, production = how.production or false,
    sources = {}, schemas = {}, pem_files = {}, foreign = {}, modules = {}, files = {}, open = {},
    declared = { route = {}, target = {}, task = {}, batch = {} },
    routes = {}, route_functions = {}, targets = {}, target_functions = {}, tasks = {}, batches = {},
    secrets = {}, secret_names_list = {}, known_secrets = setmetatable({}, { __mode = "k" }),
    settings = {}, setting_list = {}, stood_in = {},
    limits = limits.defaults, trusted_proxies = {},
    inert = make_inert(),
  }
  load.findings = findings.new(load.sources)
  load.where = make_where(load)
  function load.is_inert(value) return rawequal(value, load.inert) end
  function load.secret_names(value) return load.known_secrets[value] end
  make_needs(load)
  load.words = environment.words()
  for name, word in pairs(sentences.words(load)) do
    load.words[name] = word
  end
  load.words.require = require_word(load)
  if load.mode == "check" then
    refuse_actions(load)
  end
  load.rules_scope = scope_of(load, load.words, {})
  local settings_words = settings.words(load)
  settings_words.env = load.words.env
  load.settings_scope = scope_of(load, settings_words, settings.later)
  load.profile_scope = scope_of(load, {}, {}) -- a profile is data
  return load
end

--- tidewire.lua comes first, because rules rest on its limits; a worker needs nothing of it.
local function add_file(load, file)
  file.source = source.new(file.name, file.text)
  load.sources[file.name] = file.source
  file.is_settings = file.name == SETTINGS
  file.scope = file.is_settings and load.settings_scope or load.rules_scope
  if not file.is_settings then
    load.files[#load.files + 1] = file
  elseif load.mode == "check" then
    table.insert(load.files, 1, file)
  end
  local profile = file.module:match "^providers%.(.+)$"
  if profile then
    file.profile, file.scope = profile, load.profile_scope
  elseif file.module ~= "" then
    load.modules[file.module] = file
  end
end

local function add_files(load, files)
  for _, file in ipairs(files) do
    local schema = file.name:match "^rules/(schemas/.*%.json)$" or file.name:match "^schemas/.*%.json$"
    local foreign = file.module:match "^compat%."
    if schema then
      load.schemas[schema] = file.text
    elseif tls.is_pem(file.name) then
      load.pem_files[file.name:match "^rules/(.*)$" or file.name] = true
    elseif foreign then
      load.foreign[file.name:match "compat/(.*)$"] = file
    else
      add_file(load, file)
    end
  end
end

--- A worker's load is over: what a word such as auth.bearer finds from here on is an error of the handler that called it.
local function raise_findings(load)
  function load.findings.add(_, finding)
    if not finding.warning then
      actions.fault("%s%s", finding.message, finding.hint and ": " .. finding.hint or "")
    end
  end
end

local settings_of = {
  target = "{ url = … }",
  route = "{ verify = …, handle = function(event) … end }",
  task = "{ handle = function(data) … end }",
  batch = "{ every = \"1h\", flush = function(items, key) … end }",
}

local function check_open(load)
  for opened in pairs(load.open) do
    load.findings:add { file = opened.file, line = opened.line,
      message = ("%s %q has no settings: add %s"):format(opened.sentence, opened.name, settings_of[opened.sentence]) }
  end
end

--- @tparam table how  files: list of { name, module ("" for rule files), text }; mode: "check" or "worker"; production; host:
-- { env(name) → text or nil, secret(name) → true, false or "empty"; stand_in(name) → text or nil: of a setting that is not set;
-- of a check also step(name): called before each file, as a worker yields there }
-- @treturn table  "worker": { routes = path → functions, targets = name → functions, words: of a file }. "check": { routes,
-- targets: lists of records; route_functions: path → functions; findings; secrets: names; settings: { name, value } …; limits;
-- trusted_proxies }
function M.run(how)
  local load = new_load(how)
  local step = how.mode == "worker" and coroutine.yield or how.host.step
  add_files(load, how.files)
  for _, file in pairs(load.foreign) do
    compile_foreign(load, file)
  end
  for _, file in ipairs(load.files) do
    step(file.name)
    if compile(load, file) and load.mode == "check" then
      scan(load, file)
    end
  end
  for _, file in ipairs(load.files) do
    if file.profile then
      local given = load.inert
      if file.chunk then
        given = run_file(load, file)
      end
      provider.add_own(load, load.profiles, file.profile, given, file.name)
    end
  end
  for _, file in ipairs(load.files) do
    step(file.name)
    if file.module == "" and file.chunk then
      run_file(load, file)
    end
  end
  if load.mode == "worker" then
    raise_findings(load)
    return { routes = load.route_functions, targets = load.target_functions, words = load.words }
  end
  check_open(load)
  return { routes = load.routes, route_functions = load.route_functions, targets = load.targets, tasks = load.tasks,
    batches = load.batches,
    findings = load.findings:sorted(), secrets = load.secret_names_list, settings = load.setting_list, limits = load.limits,
    trusted_proxies = load.trusted_proxies }
end

return M
