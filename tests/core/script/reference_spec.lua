-- lua/tidewire/reference says every word that the loader knows, and no other: asked for a word that is not there, the loader
-- looks for a near one among the words that are. lua/REFERENCE.md and the editor's file are made of it.
local environment = require "tidewire.environment"
local findings = require "tidewire.loader.findings"
local loader = require "tidewire.loader"
local reference = require "tidewire.reference"
local reference_text = require "tidewire.reference_text"
local suggest = require "tidewire.suggest"

local NOBODY = "zzzzz"

--- Loads a text and gives the words that were offered in place of NOBODY.
local function offered(text)
  local near, names = findings.near, nil
  findings.near = function(word, list)
    if word == NOBODY then names = list end
    return near(word, list)
  end
  local ok, why = pcall(loader.run, {
    mode = "check", files = { { name = "rules/a.lua", module = "", text = text }, { name = "tidewire.lua", module = "",
      text = text:match "^limits.*" or text:match "^server.*" or "" } },
    host = { env = function() return "x" end, secret = function() return true end, secret_fits = function() return true end,
      step = function() end },
  })
  findings.near = near
  assert(ok, why)
  return assert(names, "nothing was offered for " .. text)
end

local function section(name, kind)
  for _, candidate in ipairs(reference) do
    if candidate.name == name and (kind == nil or candidate.kind == kind) then
      return candidate
    end
  end
  error("lua/tidewire/reference has no section " .. name)
end

--- Both ways: what is there is said, what is said is there.
local function same(what, said, there)
  local known = {}
  for _, name in ipairs(there) do known[name] = true end
  for _, name in ipairs(said) do
    assert(known[name], ("lua/tidewire/reference: %s has no '%s'"):format(what, name))
    known[name] = nil
  end
  local missing = suggest.names_of(known)
  assert(#missing == 0, ("lua/tidewire/reference: %s: nothing is said of %s"):format(what, table.concat(missing, ", ")))
end

local function names_of(entries)
  local names = {}
  for i, entry in ipairs(entries) do names[i] = entry[1] end
  return names
end

local function without(list, ...)
  local left = {}
  for _, name in ipairs(list) do
    local is_out = false
    for _, out in ipairs { ... } do is_out = is_out or name == out end
    if not is_out then left[#left + 1] = name end
  end
  return left
end

local spec = {}

function spec.words_of_a_file()
  local said = {}
  for _, part in ipairs(reference) do
    if part.kind == "sentence" or part.kind == "library" then
      said[#said + 1] = part.name
    elseif part.kind == "words" or part.kind == "lua" then
      for _, name in ipairs(names_of(part.entries)) do said[#said + 1] = name end
    end
  end
  same("a file", said, without(offered("local x = " .. NOBODY), "crash")) -- a word of test builds
end

function spec.options_of_sentences_and_of_tables_inside()
  local none = "verify = verify.none \"t\", handle = function() end"
  for name, text in pairs {
    route = ("route '/x' { %s, %%s = 1 }"):format(none),
    target = "target 'x' { url = 'http://a.example.com', %s = 1 }",
    retry = "target 'x' { url = 'http://a.example.com', retry = { %s = 1 } }",
    task = "task 'x' { handle = function() end, %s = 1 }",
    batch = "batch 'x' { every = '1h', flush = function() end, %s = 1 }",
    breaker = "target 'x' { url = 'http://a.example.com', breaker = { %s = 1 } }",
    tls = "target 'x' { url = 'https://a.example.com', tls = { %s = 1 } }",
    dedupe = ("route '/x' { %s, dedupe = { by = 'body.id', %%s = 1 } }"):format(none),
    reply = ("route '/x' { %s, reply = { %%s = 1 } }"):format(none),
    ["verify.hmac"] = "local v = verify.hmac { %s = 1 }", ["verify.standard"] = "local v = verify.standard { %s = 1 }",
    ["verify.basic"] = "local v = verify.basic { %s = 1 }", ["verify.jwt"] = "local v = verify.jwt { %s = 1 }",
    ["sign.standard"] = "local v = sign.standard { %s = 1 }",
    ["sign.hmac"] = "local v = sign.hmac { %s = 1 }", ["sign.jwt"] = "local v = sign.jwt { %s = 1 }",
    ["auth.oauth2"] = "local v = auth.oauth2 { %s = 1 }",
    limits = "limits { %s = 1 }", server = "server { %s = 1 }",
  } do
    same(name, names_of(section(name, name == "route" and "sentence" or nil).entries), offered(text:format(NOBODY)))
  end
end

function spec.options_of_profiles()
  local names = {}
  for _, name in ipairs(require("tidewire.loader.provider").names) do
    for option in pairs(require("tidewire.providers." .. name).options or { secret = true }) do names[option] = true end
  end
  same("provider options", names_of(section("provider options").entries), suggest.names_of(names))
end

function spec.words_for_options()
  for _, name in ipairs { "provider", "verify", "sign", "auth", "compat" } do
    same(name, names_of(section(name).entries), offered(("local v = %s.%s"):format(name, NOBODY)))
  end
end

function spec.words_of_libraries()
  environment.words()
  for name, words in pairs(environment.libraries) do
    if not (name == "string" or name == "table" or name == "math" or name == "bit") then
      same(name, names_of(section(name).entries), words)
    end
  end
end

function spec.methods_of_tasks_and_batches()
  for _, name in ipairs { "task", "batch" } do
    local methods = require("tidewire." .. name).methods("x", {})
    same(name .. " value", names_of(section(name .. " value").entries), suggest.names_of(methods))
  end
end

function spec.fields_of_an_event()
  same("event", names_of(section("event").entries), require("tidewire.event").fields)
end

--- The list that a message's options are checked against stands somewhere below `send`.
local function upvalue(f, wanted, depth)
  for i = 1, math.huge do
    local name, value = debug.getupvalue(f, i)
    if not name then return nil end
    local found = name == wanted and value or type(value) == "function" and depth > 0 and upvalue(value, wanted, depth - 1)
    if found then return found end
  end
end

function spec.options_of_a_message()
  local options = assert(upvalue(require("tidewire.actions").words.send, "options", 3), "actions.lua has no list of options")
  same("message", names_of(section("message").entries), options)
end

function spec.options_of_http()
  local options = assert(upvalue(require("tidewire.http").request, "option_names", 4), "http.lua has no list of options")
  same("http.request", names_of(section("http.request").entries), options)
end

function spec.values_that_are_words()
  local route = "route '/x' { verify = verify.none 't', handle = function() end, %s = %%q }"
  for place, text in pairs {
    ["route.ack"] = route:format "ack", ["route.content"] = route:format "content",
    ["target.method"] = "target 'x' { url = 'http://a.example.com', method = %q }",
    ["verify.hmac.algorithm"] = "local v = verify.hmac { algorithm = %q }",
    ["verify.hmac.encoding"] = "local v = verify.hmac { encoding = %q }",
    ["verify.hmac.format"] = "local v = verify.hmac { format = %q }",
    ["verify.jwt.algorithm"] = "local v = verify.jwt { algorithm = %q }",
  } do
    local name, option = place:match "^(.*)%.(.-)$"
    for _, entry in ipairs(section(name, name == "route" and "sentence" or nil).entries) do
      if entry[1] == option then
        local said = {}
        for word in entry[2]:gmatch '"(.-)"' do said[#said + 1] = word end
        same(place, said, offered(text:format(NOBODY)))
      end
    end
  end
end

function spec.the_editor_file_is_lua()
  assert(loadstring(reference_text.meta(reference)))
end

function spec.the_document_is_what_is_generated()
  local file = assert(io.open "lua/REFERENCE.md")
  local text = file:read "*a"
  file:close()
  assert(text == reference_text.markdown(reference),
    "lua/REFERENCE.md lags behind lua/tidewire/reference: build/dev/tidewire api --markdown > lua/REFERENCE.md")
end

return spec
