--- The words of test files, over the router of one test (core/loop/trial.h): test, feed, sample, expect, sent, mock, clock.
-- @module tidewire.trial
local environment = require "tidewire.environment"
local expect = require "tidewire.trial.expect"
local log = require "tidewire.trial.log"
local network = require "tidewire.trial.network"
local requests = require "tidewire.trial.request"
local rules_words = require("tidewire.trial.rules").words
local runs = require "tidewire.trial.run"
local samples = require "tidewire.trial.sample"
local suggest = require "tidewire.suggest"
local time = require "tidewire.time"
local trial = require "tidewire.trial_native"
local units = require "tidewire.units"

local M = {}

local START = "2026-01-05T09:00:00Z" -- where the clock of each test stands first: a Monday morning
local PLACES_MAX = 50

-- ---- one test ----

local Test = {}
Test.__index = Test

--- The router is started when it is first needed: a test of functions alone costs nothing.
function Test:begin()
  if self.begun then
    return
  end
  local ok, why = trial.begin(function(request) return self.network:answer(request) end)
  if not ok then
    error(why, 0)
  end
  self.begun = true
end

--- Calls into the router; the answer of a mock must not do so from inside.
function Test:inside(call, ...)
  if self.busy then
    error("the answer of a mock cannot feed, or let time pass", 0)
  end
  self:begin()
  self.busy = true
  local result, why = call(...)
  self.busy = false
  if not result then
    error(why, 0)
  end
  return result
end

function Test:feed(path, request)
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    error("feed wants a path first: feed(\"/github\", sample.github.push)", 0)
  end
  request = request or {}
  if type(request) ~= "table" then
    error("feed wants a sample or a table: { json = … }, { text = … } or { body = … }", 0)
  end
  self:begin() -- the signature's time is the test's
  local bytes = requests.build(self.rules, path, request)
  local response = requests.parse(self:inside(trial.feed, bytes, request.remote_ip or "127.0.0.1"))
  local run = runs.new(response, self.network)
  self.fed[#self.fed + 1] = { path = path, run = run }
  return run
end

--- Messages that left in this test; to one target, where that is named.
function Test:sent(target)
  if target ~= nil then
    self.network:need_target("sent", target)
  end
  return self.network:list(function(message) return target == nil or message.target == target end)
end

--- A reason with what helps below it (help.c), deeper than the line it ends.
local function indented(text)
  return (text:gsub("\n", "\n    "))
end

--- "503 25 times, 200".
local function in_short(answers)
  local parts, i = {}, 1
  while i <= #answers do
    local last = i
    while answers[last + 1] == answers[i] do
      last = last + 1
    end
    parts[#parts + 1] = last > i and ("%s %d times"):format(answers[i], last - i + 1) or tostring(answers[i])
    i = last + 1
  end
  return table.concat(parts, ", ")
end

--- What was fed and what became of it, for who looks for the reason of a failure.
function Test:story()
  local lines = {}
  for _, fed in ipairs(self.fed) do
    local ok, state, reason = pcall(function() return fed.run.state, fed.run.reason end)
    lines[#lines + 1] = ("%s → %d %s%s"):format(fed.path, fed.run.status, ok and state or "?",
      ok and reason and ": " .. indented(reason) or "")
    for _, message in ipairs(fed.run.sent) do
      lines[#lines + 1] = ("  → %s %s"):format(message.target, in_short(message.answers))
    end
  end
  for _, asked in ipairs(self.network.asked) do
    lines[#lines + 1] = "asked " .. asked
  end
  return lines
end

-- ---- clock ----

local function seconds_of(moment)
  if type(moment) == "number" then
    return moment
  end
  local seconds = type(moment) == "string" and time.parse(moment)
  return seconds or error("clock.set wants a time: \"2026-03-01T09:00:00Z\", or seconds since 1970", 0)
end

function Test:pass(duration)
  local ms, why = units.duration(duration)
  if not ms then
    error("clock.pass: " .. why, 0)
  end
  self:inside(trial.pass, ms)
end

function Test:set(moment)
  local ms = seconds_of(moment) * 1000
  if not self.begun then
    trial.freeze(ms)
  elseif ms < trial.now() then
    error("clock.set: time goes forwards only; set it before the first feed", 0)
  else
    self:inside(trial.pass, ms - trial.now())
  end
end

-- ---- words ----

--- Misuse is reported where the test stands, not here.
local function blamed(f)
  return function(...)
    local results = { pcall(f, ...) }
    if results[1] then
      return unpack(results, 2)
    end
    local placed = type(results[2]) ~= "string" or results[2]:find "^[^\n:]+%.lua:%d+: "
    error(results[2], placed and 0 or 2)
  end
end

--- A table of words; an unknown one is named with what is near.
local function word_table(name, content)
  return setmetatable({}, { __index = function(_, key)
    return content[key] or error(("there is no %s.%s%s"):format(name, tostring(key),
      suggest.hint(key, suggest.names_of(content))), 2)
  end })
end

--- File and line of the test file that is being run.
local function place_in(file)
  return function()
    for level = 2, PLACES_MAX do
      local info = debug.getinfo(level, "Sl")
      if not info then
        break
      elseif info.source == "=" .. file then
        return file, info.currentline
      end
    end
    return file, nil
  end
end

--- The word `test`: what it declares is run when the file is loaded.
local function test_word(holder, tests)
  return blamed(function(name)
    if holder.test then
      error("a test inside a test", 0)
    elseif type(name) ~= "string" then
      error("write test \"what holds\" (function() … end)", 0)
    end
    return blamed(function(body)
      if type(body) ~= "function" then
        error("write test \"what holds\" (function() … end)", 0)
      end
      tests[#tests + 1] = { name = name, run = body, line = debug.getinfo(body, "S").linedefined }
    end)
  end)
end

local function print_word(holder)
  return function(...)
    local parts = {}
    for i = 1, select("#", ...) do
      parts[i] = tostring((select(i, ...)))
    end
    local said = (holder.test or holder).said
    said[#said + 1] = table.concat(parts, "\t")
  end
end

--- The words that belong to the test that is being run.
local function test_words(holder)
  local function of_test(word, call)
    return blamed(function(...)
      return call(holder.test or error(word .. " works inside a test", 0), ...)
    end)
  end
  return {
    feed = of_test("feed", Test.feed),
    sent = of_test("sent", Test.sent),
    clock = word_table("clock", { set = of_test("clock.set", Test.set), pass = of_test("clock.pass", Test.pass) }),
    mock = word_table("mock", {
      target = of_test("mock.target", function(test, ...) return test.network:mock_target(...) end),
      http = of_test("mock.http", function(test, ...) return test.network:mock_http(...) end),
    }),
  }
end

--- Everything that a test file may say: what rules have, without actions, and the words of tests.
local function words_of(holder, file, tests)
  local words = environment.words()
  for name in pairs(require("tidewire.actions").words) do
    words[name] = nil
  end
  words.http = nil
  for name, word in pairs(rules_words()) do
    words[name] = blamed(word)
  end
  for name, word in pairs(test_words(holder)) do
    words[name] = word
  end
  words.test = test_word(holder, tests)
  words.expect = expect.word(place_in(file.name))
  words.sample = samples.word(file.run_folder, file.folder)
  words.print = print_word(holder)
  return words
end

-- ---- a file ----

local function new_test(rules)
  trial.freeze(time.parse(START) * 1000)
  trial.take_log()
  return setmetatable({ rules = rules, network = network.new(rules.targets), fed = {}, said = {} }, Test)
end

--- The raised text without its place, and the place.
local function placed(why)
  local file, line, message = why:match "^([^\n:]+%.lua):(%d+): (.*)$"
  return message or why, file, tonumber(line)
end

local function result_of(ok, why)
  if ok then
    return { outcome = "passed" }
  elseif type(why) == "table" and why.expectation then
    return { outcome = "failed", message = why.message, differences = why.differences, at_file = why.file,
      at_line = why.line }
  end
  local message, file, line = placed(type(why) == "string" and why or "error with a " .. type(why) .. " instead of a text")
  return { outcome = "error", message = message, differences = {}, at_file = file, at_line = line }
end

local function run_test(holder, rules, declared)
  local test = new_test(rules)
  local began = trial.stopwatch()
  holder.test = test
  local ok, why = pcall(declared.run)
  local result = result_of(ok, why)
  if not ok then
    result.story = test:story()
    result.log = log.shown(trial.take_log())
  end
  holder.test = nil
  trial.finish()
  result.name, result.line, result.said = declared.name, declared.line, test.said
  result.seconds = trial.stopwatch() - began
  return result
end

local function load_file(file, words)
  local names = suggest.names_of(words)
  local scope = environment.strict(words, function(name)
    error(("there is no name '%s' here%s"):format(tostring(name), suggest.hint(name, names)), 3)
  end, function(name)
    error(("'%s = …' would make a global variable: write 'local %s = …'"):format(tostring(name), tostring(name)), 3)
  end)
  local chunk, why = loadstring(file.text, "=" .. file.name)
  if not chunk then
    return false, why
  end
  return pcall(setfenv(chunk, scope))
end

--- Loads a test file and runs its tests, each in a router of its own.
-- @tparam table rules  of native.check: routes, targets; and folder, the one given to `run`
-- @tparam table file  { name: as it is shown, text, run_folder: the one given to `run`, folder: of the rule files }
-- @tparam function wanted  (name) → is this test to be run?
-- @tparam function on_result  (result): outcome "passed", "failed" or "error"; name, line; of the last two message, differences,
-- at_file, at_line, story, log
-- @treturn table|nil  a result for the file itself, when it could not be loaded
function M.run_file(rules, file, wanted, on_result)
  local holder, tests = { said = {} }, {}
  local ok, why = load_file(file, words_of(holder, file, tests))
  if not ok then
    local result = result_of(false, why)
    result.name, result.outcome, result.seconds, result.said = file.name, "error", 0, holder.said
    return result
  end
  for _, declared in ipairs(tests) do
    if wanted(declared.name) then
      on_result(run_test(holder, rules, declared))
    end
  end
end

return M
