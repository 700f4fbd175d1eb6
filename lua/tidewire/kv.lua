--- kv: values that rules keep. Checked here, noted and read in C (core/script/kv.c).
-- @module tidewire.kv
local actions = require "tidewire.actions_native"
local faults = require "tidewire.faults"
local native = require "tidewire.kv_native"
local views = require "tidewire.views"

local M = {}

local type, select = type, select
local type_of = views.words.type
local fault, got = faults.fault, faults.got

local KEY_MAX = 512 -- as KV_KEY_MAX of core/model/kv_note.h
local SUM_MAX = 1e14 -- longer integers are exact, and no plain numbers any more

-- ---- what is given ----

local function begin(word, key, given, most)
  actions.need_handler(word .. "()")
  if type(key) ~= "string" or #key == 0 or #key > KEY_MAX then
    fault("%s: a key is text of 1 to %d bytes, got %s%s", word, KEY_MAX,
      type(key) == "string" and #key > KEY_MAX and ("%d bytes"):format(#key) or got(key),
      type_of(key) == "number" and ": write tostring(…)" or "")
  elseif given > most then
    fault("%s takes at most %d arguments, got %d", word, most, given)
  end
end

--- { ttl = "10m" } in milliseconds; 0: for ever.
local function ttl_of(word, how)
  local given = faults.option(word, how, "ttl", '"10m"')
  local ms = given == nil and 0 or faults.milliseconds(word .. ": ttl", given)
  if given ~= nil and ms < 1 then
    fault("%s: a ttl is at least \"1ms\"", word)
  end
  return ms
end

local function check_value(word, value)
  local kind = type_of(value)
  if kind == "nil" or kind == "null" then
    fault("%s wants a value, got %s: kv.delete(key) removes one", word, got(value))
  elseif kind == "secret" then
    fault("%s: a secret is not kept: write secret \"NAME\" where it is used", word)
  end
end

-- ---- reading and noting ----

--- The value as JSON; nil: there is none. May wait.
local function look(word, key)
  local state, text = native.look(key)
  while state == nil do -- it was not in memory, and has been read
    state, text = native.look(key)
  end
  if state == "fault" then
    fault("%s %s", word, text)
  end
  return text
end

local function noted(word, done, why)
  if not done then
    fault("%s: %s", word, why)
  end
end

--- The value, or nil.
function M.get(...)
  local key = ...
  begin("kv.get", key, select("#", ...), 1)
  local text = look("kv.get", key)
  return text and native.decode(text)
end

--- The value is this from the commit on.
function M.set(...)
  local key, value, how = ...
  begin("kv.set", key, select("#", ...), 3)
  check_value("kv.set", value)
  noted("kv.set", native.put(key, value, ttl_of("kv.set", how)))
end

--- true, and the value is this from the commit on; false: there is one already.
function M.add(...)
  local key, value, how = ...
  begin("kv.add", key, select("#", ...), 3)
  check_value("kv.add", value)
  local ttl_ms = ttl_of("kv.add", how)
  if look("kv.add", key) then
    return false
  end
  noted("kv.add", native.put(key, value, ttl_ms, true))
  return true
end

--- true, and the value is `new` from the commit on (nil: there is none); false: it is not `old` (nil: there is one).
function M.cas(...)
  local key, old, new, how = ...
  begin("kv.cas", key, select("#", ...), 4)
  if type_of(old) == "secret" or type_of(new) == "secret" then
    fault("kv.cas: a secret is not kept: write secret \"NAME\" where it is used")
  end
  local ttl_ms, text = ttl_of("kv.cas", how), look("kv.cas", key)
  if native.is_sum(key) then
    fault("kv.cas after kv.incr of the same key: what is added is known only at the commit; write one of them")
  end
  local wanted = old ~= nil and views.json.encode(old) or nil
  if text ~= wanted then
    return false
  elseif new == nil then
    noted("kv.cas", native.remove(key, wanted or true))
  else
    noted("kv.cas", native.put(key, new, ttl_ms, wanted or true))
  end
  return true
end

--- Adds to a number, at the commit; the sum with what is read now.
function M.incr(...)
  local key, by, how = ...
  begin("kv.incr", key, select("#", ...), 3)
  if type(by) == "table" and how == nil then
    by, how = 1, by
  elseif by == nil then
    by = 1
  end
  if type(by) ~= "number" or not (by > -SUM_MAX and by < SUM_MAX) then
    fault("kv.incr adds a number, got %s", got(by))
  end
  local ttl_ms, text = ttl_of("kv.incr", how), look("kv.incr", key)
  local value = text and native.decode(text) or text == nil and 0
  if type(value) ~= "number" then
    fault("kv.incr: the value of '%s' is no number that can be added to: %s", key, got(value))
  end
  local sum = value + by
  if not (sum > -SUM_MAX and sum < SUM_MAX) then
    fault("kv.incr: the sum has more than 14 digits")
  end
  noted("kv.incr", native.add_up(key, by, sum, ttl_ms))
  return sum
end

--- There is no value from the commit on.
function M.delete(...)
  local key = ...
  begin("kv.delete", key, select("#", ...), 1)
  noted("kv.delete", native.remove(key))
end

return M
