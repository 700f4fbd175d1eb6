--- expect(value):is … :like … :contains … :has(n) … :fails "pattern": the five matchers of tests.
-- What is not so raises a table { expectation = true, message, differences = { { path, want, got } … }, file, line }.
-- @module tidewire.trial.expect
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"

local M = {}

local words = views.words
local kind_of, pairs_of = words.type, words.pairs

local DIFFERENCES_MAX = 10
local DEPTH_MAX = 64
local SHOWN_MAX = 400 -- bytes of a value

-- ---- values as text ----

local show

local function is_container(value)
  return kind_of(value) == "table"
end

local function is_list(value)
  return #value > 0 and (type(value) == "userdata" or value[1] ~= nil)
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs_of(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function step(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return "." .. key
  end
  return type(key) == "string" and ("[%q]"):format(key) or ("[%s]"):format(tostring(key))
end

local function show_container(value, depth)
  if depth > 4 then
    return "{ … }"
  end
  local parts = {}
  if is_list(value) then
    for _, item in words.ipairs(value) do
      parts[#parts + 1] = show(item, depth + 1)
    end
  else
    for _, key in ipairs(sorted_keys(value)) do
      parts[#parts + 1] = step(key):gsub("^%.", "") .. " = " .. show(value[key], depth + 1)
    end
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

--- A value as a person reads it, on one line, cut where it is long.
function show(value, depth)
  local text
  if value == nil then
    text = "nothing (nil)"
  elseif type(value) == "string" then
    text = '"' .. value:gsub('[%c"\\]', { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }) .. '"'
  elseif is_container(value) then
    text = show_container(value, depth or 1)
  elseif kind_of(value) == "null" then
    text = "json.null"
  else
    text = tostring(value)
  end
  return #text > SHOWN_MAX and text:sub(1, SHOWN_MAX) .. " …" or text
end
M.show = show

-- ---- comparing ----

--- Scalars: exact integers are numbers; what cannot be compared is different.
local function same(a, b)
  if kind_of(a) ~= kind_of(b) then
    return false
  end
  local ok, equal = pcall(function() return a == b end)
  return ok and equal
end

local function note(found, path, want, got)
  if #found < DIFFERENCES_MAX then
    found[#found + 1] = { path = path, want = show(want), got = show(got) }
  end
end

local compare

--- Is it there, be it null?
local function has_key(value, key)
  for known in pairs_of(value) do
    if known == key then
      return true
    end
  end
  return false
end

local function compare_keys(got, want, part, path, found, depth)
  for _, key in ipairs(sorted_keys(want)) do
    compare(got[key], want[key], part, path .. step(key), found, depth + 1)
  end
  if part then
    return
  end
  local more = {}
  for key, value in pairs_of(got) do -- a view says null only while iterating
    if want[key] == nil then
      more[key] = value
    end
  end
  for _, key in ipairs(sorted_keys(more)) do
    if not has_key(want, key) then
      note(found, path .. step(key), nil, more[key])
    end
  end
end

--- Notes in found where got is not what is wanted. part: what want does not name may be anything.
function compare(got, want, part, path, found, depth)
  if depth > DEPTH_MAX then
    note(found, path, "no more than 64 levels", "more")
  elseif is_container(want) and is_container(got) then
    compare_keys(got, want, part, path, found, depth)
  elseif not (same(got, want) or (kind_of(want) == "null" and got == nil)) then
    note(found, path, want, got)
  end
end

local function differences(got, want, part)
  local found = {}
  compare(got, want, part, "", found, 0)
  return found
end

-- ---- matchers ----

local function fail(message, found)
  error({ expectation = true, message = message, differences = found or {} }, 0)
end

local function wants_container(word, got)
  if not is_container(got) then
    fail(("%s looks into tables and lists, and this is %s"):format(word, show(got)))
  end
end

local matchers = {}

function matchers.is(got, want)
  local found = differences(got, want, false)
  if #found > 0 then
    fail("not what was expected", found)
  end
end

function matchers.like(got, want)
  local found = differences(got, want, true)
  if #found > 0 then
    fail("not like what was expected", found)
  end
end

function matchers.contains(got, part)
  if type(got) == "string" and type(part) == "string" then
    if not got:find(part, 1, true) then
      fail("does not contain what was expected", { { path = "", want = show(part), got = show(got) } })
    end
    return
  end
  wants_container(":contains", got)
  for _, item in pairs_of(got) do
    if #differences(item, part, true) == 0 then
      return
    end
  end
  fail("contains nothing like what was expected", { { path = "", want = show(part), got = show(got) } })
end

local function count(got)
  if type(got) == "string" then
    return #got
  end
  wants_container(":has", got)
  return is_list(got) and #got or #sorted_keys(got)
end

function matchers.has(got, want)
  if type(want) ~= "number" then
    error("write :has(n) with a number", 0)
  end
  local n = count(got)
  if n ~= want then
    fail("another number than expected", { { path = "", want = tostring(want), got = ("%d: %s"):format(n, show(got)) } })
  end
end

--- Of a function: it raises. Of a run: it ended badly. The pattern is found in what it says.
function matchers.fails(got, pattern)
  local failed, why
  if type(got) == "function" then
    local ok, raised = pcall(got)
    failed, why = not ok, type(raised) == "table" and raised.message or raised
  elseif is_container(got) then
    failed, why = got.state == "dead" or got.state == "refused" or got.state == "waiting", got.reason
  else
    error("write expect(function() … end):fails \"…\", or expect(run):fails \"…\"", 0)
  end
  why = tostring(why or "")
  if not failed then
    fail("did not fail")
  elseif pattern and not (why:find(pattern, 1, true) or why:find(pattern)) then
    fail("failed with another message", { { path = "", want = show(pattern), got = show(why) } })
  end
end

--- @tparam function place  () → file, line of the test that is being run
-- @treturn function  the word `expect`
function M.word(place)
  local meta = {}
  function meta.__index(_, name)
    local near = suggest.hint(name, suggest.names_of(matchers))
    error(("expect(…) has no matcher '%s'%s: there are is, like, contains, has and fails"):format(tostring(name), near), 2)
  end
  return function(got)
    local expectation = {}
    for name, matcher in pairs(matchers) do
      expectation[name] = function(self, ...)
        if self ~= expectation then
          error(("write expect(…):%s(…) with a colon"):format(name), 2)
        end
        local ok, why = pcall(matcher, got, ...)
        if ok then
          return
        end
        if type(why) == "table" then
          why.file, why.line = place()
          error(why, 0)
        end
        error(tostring(why):gsub("^[^:]+:%d+: ", ""), 2)
      end
    end
    return setmetatable(expectation, meta)
  end
end

return M
