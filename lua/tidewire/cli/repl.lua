--- tidewire repl: a prompt with the words of rules, `event` filled in. Nothing is sent, asked or stored.
-- @module tidewire.cli.repl
local environment = require "tidewire.environment"
local expect = require "tidewire.trial.expect"
local native = require "tidewire.native"
local prompts = require "tidewire.prompt_native"
local rules_words = require("tidewire.trial.rules").words
local screen = require "tidewire.cli.screen"
local subjects = require "tidewire.cli.subjects"
local suggest = require "tidewire.suggest"
local time = require "tidewire.time"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = { summary = "a prompt with the words of rules, `event` filled in; nothing is sent" }

local ENDED = {} -- raised by what would end a handler
local ends = { drop = true, fail = true, retry = true }
local elsewhere = { "http", "kv", "metric" } -- of a running router

function M.describe(command)
  command:option("--event", "the id of a stored event, or a file: a sample of `events save`, or a body"):argname "ID|FILE"
  command:option("--route", "the path that a file is sent to"):argname "PATH"
  command:option("--type", "the event type of a body"):argname "TYPE"
  command:option("--store", "the store to read when no router runs"):argname "PATH"
end

-- ---- values as text ----

--- event.headers, event.query, event.params as a plain table.
local function plain(map)
  local copy = {}
  for name, value in views.words.pairs(map) do
    copy[name] = value
  end
  return copy
end

local shown
function shown(value)
  local kind = views.words.type(value)
  if kind == "table" and type(value) == "userdata" and not views.is_view(value) then
    return shown(plain(value))
  elseif kind == "table" then
    local ok, text = pcall(views.json.encode, value)
    return ok and text or expect.show(value)
  end
  return expect.show(value)
end

local function all_shown(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = shown((select(i, ...)))
  end
  return table.concat(parts, "  ")
end

-- ---- words ----

--- An action here says what it would do.
local function told(name)
  return function(...)
    print(("nothing is sent here: it would %s %s"):format(name, all_shown(...)))
    if ends[name] then
      error(ENDED)
    end
  end
end

local function library_elsewhere(name)
  return setmetatable({}, { __index = function(_, word)
    return function()
      error(("%s.%s works in a running router: nothing is asked here"):format(name, tostring(word)), 2)
    end
  end })
end

local function logger()
  local levels = {}
  for level in pairs(require("tidewire.actions").words.log) do
    levels[level] = function(...)
      print(("log %s %s"):format(level, all_shown(...)))
    end
  end
  return levels
end

--- target "name": a value for `send`.
local function target_word(targets)
  return function(name)
    for _, known in ipairs(targets) do
      if known == name then
        return values.new("target", { name = name })
      end
    end
    error(("there is no target %q%s"):format(tostring(name), suggest.hint(name, targets)), 2)
  end
end

local function words_of(rules, event)
  local words = environment.words()
  for name in pairs(require("tidewire.actions").words) do
    words[name] = told(name)
  end
  for name, word in pairs(rules_words()) do
    words[name] = word
  end
  words.log = logger()
  for _, name in ipairs(elsewhere) do
    words[name] = library_elsewhere(name)
  end
  words.print = function(...)
    print(all_shown(...))
  end
  words.target = target_word(rules.targets)
  words.event = event
  return words
end

--- What a line gives a name stays for the next ones.
local function scope_of(words)
  local names = suggest.names_of(words)
  local scope = environment.strict(words, function(name)
    if name == "event" then
      error("there is no event: start with --event ID, or --event FILE", 0)
    end
    error(("there is no name '%s' here%s"):format(tostring(name), suggest.hint(name, names)), 0)
  end, function() end)
  return setmetatable({}, { __index = scope, __metatable = false })
end

-- ---- lines ----

--- The chunk of a text, which is an expression or statements; or nil, why, and whether more lines may mend it.
local function compile(text)
  local chunk = loadstring("return " .. text, "=line")
  if chunk then
    return chunk
  end
  local why
  chunk, why = loadstring(text, "=line")
  return chunk, why, why and why:find "'<eof>'$" ~= nil
end

local function finish(ok, ...)
  if ok and select("#", ...) > 0 then
    print(all_shown(...))
  elseif not ok and (...) ~= ENDED then
    local why = (...)
    print("error: " .. (type(why) == "string" and why:gsub("^line:%d+: ", "") or shown(why)))
  end
end

--- "x = 1" is kept, "local x = 1" ends with its line: a person is told so.
local function hint_of(text)
  if text:find "^%s*local%s" then
    screen.hint "a local ends with its line: leave `local` out to keep the name"
  end
end

-- ---- the event ----

--- The headers of a subject; a stored body is shown without its encoding.
local function headers_of(request)
  local list = { request.content_type and { "Content-Type", request.content_type } }
  for _, name in ipairs(suggest.names_of(request.headers or {})) do
    if name:lower() ~= "content-encoding" then
      list[#list + 1] = { name, request.headers[name] }
    end
  end
  return list
end

--- The event of a subject as rules see it; nil and why none would.
local function event_of(subject)
  local request, verified = subject.request, subject.verified or {}
  return prompts.event {
    id = subject.id, path = subject.path, method = request.method, query = request.query, remote_ip = request.remote_ip,
    type = request.type, verified = verified.by, received_at = verified.at and time.parse(verified.at),
    headers = headers_of(request), body = request.body,
  }
end

-- ---- here ----

local function prompt(text)
  if native.isatty(0) then
    io.write(text)
    io.flush()
  end
end

local function read_all(scope)
  local text
  prompt "> "
  for line in io.lines() do
    text = text and text .. "\n" .. line or line
    local chunk, why, goes_on = compile(text)
    if chunk then
      finish(prompts.limited(setfenv(chunk, scope)))
      hint_of(text)
    elseif not goes_on then
      print("error: " .. why:gsub("^line:%d+: ", ""))
    end
    text = not chunk and goes_on and text or nil
    io.flush()
    prompt(text and ">> " or "> ")
  end
  if text then
    print "error: the last lines are not whole"
  end
end

function M.run(arguments)
  local rules = native.check(arguments.folder or ".", false, screen.colour, true, true)
  if rules.errors > 0 then
    io.stderr:write(rules.text)
    return 3
  end
  local event
  if arguments.event then
    local subject, code = subjects.of(arguments, arguments.event)
    if not subject then
      return code
    end
    local why
    event, why = event_of(subject)
    if not event then
      screen.fail("no rule would see this event: " .. why)
      return 1
    end
  end
  read_all(scope_of(words_of(rules, event)))
  return 0
end

return M
