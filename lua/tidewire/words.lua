--- The words of Lua and of rules that take views: what the closed environment has instead of the built-in ones.
-- Plain tables go to the built-in functions by a Lua function, so that loops over them are compiled as before.
local c = ...

local raw = {
  type = type, pairs = pairs, ipairs = ipairs, next = next, unpack = unpack, tonumber = tonumber,
  concat = table.concat, insert = table.insert, remove = table.remove, sort = table.sort, format = string.format,
}
local type, select, error, pcall, getmetatable, setmetatable = type, select, error, pcall, getmetatable, setmetatable
local null, array_meta, is_view, digits = c.null, c.array_meta, c.is_view, c.digits
local kind, metatable = c.kind, c.metatable_of

local DEPTH_MAX = 128

local M = { null = null, is_view = is_view, secret = { new = c.new_secret }, words = {}, table = {}, string = {} }
local words = M.words

words.tostring, words.select, words.get = tostring, select, c.get

-- ---- Lua's own ----

function words.type(...)
  local v = ...
  local t = type(v)
  if t == "userdata" then return kind(v) end
  if t == "cdata" then return "number" end
  if t == "nil" and select("#", ...) == 0 then error("bad argument #1 to 'type' (value expected)", 2) end
  return t
end

function words.pairs(t)
  if type(t) == "userdata" then return c.pairs(t) end
  return raw.pairs(t)
end

function words.ipairs(t)
  if type(t) == "userdata" then return c.ipairs(t) end
  return raw.ipairs(t)
end

function words.next(t, key)
  if type(t) == "userdata" then return c.next(t, key) end
  return raw.next(t, key)
end

function words.unpack(t, i, j)
  if type(t) == "userdata" then return c.unpack(t, i, j) end
  return raw.unpack(t, i, j)
end

function words.tonumber(v, base)
  if type(v) == "userdata" and kind(v) == "number" then
    error("this number is beyond 64 bits: it can be passed on and printed, nothing else", 2)
  end
  if base == nil then return raw.tonumber(v) end
  return raw.tonumber(v, base)
end

-- ---- table ----

-- What cannot be assigned to cannot be changed by the raw functions of table either.
local function refuse_locked(t)
  if type(t) == "userdata" then
    if is_view(t) then error(c.read_only, 3) end
  elseif getmetatable(t) == false then
    error("this table cannot be changed: it is the same for all rules", 3)
  end
end

function M.table.insert(t, ...)
  refuse_locked(t)
  return raw.insert(t, ...)
end

function M.table.remove(t, ...)
  refuse_locked(t)
  return raw.remove(t, ...)
end

function M.table.sort(t, before)
  refuse_locked(t)
  return raw.sort(t, before)
end

-- A value of a list as text; nil and what is wrong with it.
local function joinable(v)
  local t = type(v)
  if t == "string" or t == "number" then return v end
  local text = (t == "cdata" or t == "userdata") and digits(v)
  if text then return text end
  if is_view(v) then return nil, c.no_text end
  local shown = t == "userdata" and kind(v) or t
  if shown == "secret" then return nil, 'a secret stays one only by "..": write "Bearer " .. secret "NAME"' end
  return nil, "a " .. shown .. " cannot be joined to text"
end

local function is_plain_list(t, i, j)
  for n = i, j do
    local kind_of_item = type(t[n])
    if kind_of_item ~= "string" and kind_of_item ~= "number" then return false end
  end
  return true
end

function M.table.concat(t, separator, i, j)
  if type(t) ~= "table" and not is_view(t) then
    error("table.concat wants a list, got a " .. words.type(t), 2)
  end
  i, j = i or 1, j or #t
  if type(t) == "table" and is_plain_list(t, i, j) then return raw.concat(t, separator, i, j) end
  local out, viewed = {}, is_view(t)
  for n = i, j do
    local item = t[n]
    if item == nil and viewed then item = null end
    local text, why = joinable(item)
    if not text then error(("table.concat: item %d: %s"):format(n, why), 2) end
    out[#out + 1] = text
  end
  return raw.concat(out, separator)
end

-- ---- string ----

-- An exact integer for a directive: digits for %d and %s, a number for the others.
local function for_directive(v, letter)
  local text = digits(v)
  if not text then return v, letter end
  if letter == "d" or letter == "i" or letter == "s" then return text, "s" end
  return raw.tonumber(v), letter
end

-- The format with the directives of exact integers made fit for them.
local function adapt(format, ...)
  local values, n = { ... }, 0
  local adapted = format:gsub("(%%[-+ #0]*%d*%.?%d*)([%a%%])", function(flags, letter)
    if letter == "%" then return nil end
    n = n + 1
    values[n], letter = for_directive(values[n], letter)
    return (letter == "s" and flags:gsub("[+ #0]", "") or flags) .. letter
  end)
  return adapted, values
end

function M.string.format(format, ...)
  local special = false
  for n = 1, select("#", ...) do
    local t = type((select(n, ...)))
    special = special or t == "userdata" or t == "cdata"
  end
  if not special then return raw.format(format, ...) end
  for n = 1, select("#", ...) do
    local v = select(n, ...)
    if type(v) == "userdata" and kind(v) == "secret" then
      error('string.format cannot take a secret: write "Bearer " .. secret "NAME"', 2)
    end
  end
  local adapted, values = adapt(format, ...)
  return raw.format(adapted, raw.unpack(values, 1, select("#", ...)))
end

-- ---- json ----

M.json = { null = null, decode = c.decode, encode = c.encode }

--- Marks a plain table as an array, also when it is empty.
function M.json.array(list)
  if type(list) == "table" then return setmetatable(list, array_meta) end
  if c.is_array(list) then return list end
  error("json.array wants a list, got a " .. words.type(list), 2)
end

-- ---- values: inside, faults are raised without a line (level 0); the word adds the caller's ----

-- A C function's result, or its fault without a line.
local function call(f, ...)
  local ok, result, second = pcall(f, ...)
  if ok then return result, second end
  error(result, 0)
end

-- A table that is no value of ours (a target, an option): it is kept as it is.
local function is_plain(v)
  if type(v) ~= "table" then return false end
  local meta = metatable(v)
  return meta == nil or meta == array_meta or meta.__metatable == nil
end

local function is_container(v)
  return is_view(v) or is_plain(v)
end

local function is_list(v)
  if is_view(v) then return c.is_array(v) end
  return metatable(v) == array_meta or v[1] ~= nil
end

-- An empty table of the kind of v.
local function empty_like(v)
  if is_list(v) then return setmetatable({}, array_meta) end
  return {}
end

-- Plain tables anew, views as they are.
local function clone(v, depth)
  if not is_plain(v) then return v end
  if depth > DEPTH_MAX then error("nested deeper than " .. DEPTH_MAX .. ", or a table that contains itself", 0) end
  local out = empty_like(v)
  for key, item in raw.pairs(v) do out[key] = clone(item, depth + 1) end
  return out
end

-- Views become tables too.
local function copy_value(v, depth)
  if not is_container(v) then return v end
  if depth > DEPTH_MAX then error("nested deeper than " .. DEPTH_MAX .. ", or a table that contains itself", 0) end
  local out = empty_like(v)
  for key, item in words.pairs(v) do out[key] = copy_value(item, depth + 1) end
  return out
end

local function merge_value(v, changes, depth)
  if is_view(v) then return (call(c.merge, v, changes)) end
  local out = clone(v, depth)
  for key, change in words.pairs(changes) do
    local old = v[key]
    local inside = is_container(old) and is_container(change) and not is_list(old) and not is_list(change)
    out[key] = inside and merge_value(old, change, depth + 1) or clone(change, depth)
  end
  return out
end

-- What a path that leads nowhere yet would make.
local function make_path(path, x)
  if path == "" then return x end
  local step, rest = c.step(path)
  if type(step) == "string" then return { [step] = make_path(rest, x) } end
  if step ~= 1 then error("the index is beyond the end, which would leave holes", 0) end
  return setmetatable({ make_path(rest, x) }, array_meta)
end

local function set_value(v, path, x, depth)
  if path == "" or v == nil or v == null then return make_path(path, x) end
  if is_view(v) then return (call(c.set, v, path, x)) end
  if not is_plain(v) then error("something on the way is no object or array", 0) end
  local step, rest = c.step(path)
  if type(step) == "number" and (step < 1 or step > #v + 1) then
    error("the index is beyond the end, which would leave holes", 0)
  elseif type(step) == "string" and is_list(v) then
    error("a name leads into an array", 0)
  end
  local out = clone(v, depth)
  out[step] = set_value(v[step], rest, x, depth + 1)
  return out
end

-- Paths by their first step: those of each name or index, and those that go into every child.
local function by_step(paths)
  local of, every = {}, {}
  for _, path in raw.ipairs(paths) do
    local step, rest = c.step(path)
    local group = step == true and every or of[step] or {}
    if step ~= true then of[step] = group end
    group[#group + 1] = rest
  end
  return of, every
end

-- The rests for one child, and whether one of them ends there.
local function rests_for(key, of, every)
  local rests, whole = {}, false
  for _, group in raw.ipairs { of[key] or {}, every } do
    for _, rest in raw.ipairs(group) do
      whole = whole or rest == ""
      rests[#rests + 1] = rest
    end
  end
  return rests, whole
end

local function omit_value(v, paths)
  if not is_container(v) then return v end
  if is_view(v) then return (call(c.omit, v, paths)) end
  local of, every = by_step(paths)
  local out, list = empty_like(v), is_list(v)
  for key, item in raw.pairs(v) do
    local rests, whole = rests_for(key, of, every)
    if not whole then out[list and #out + 1 or key] = #rests > 0 and omit_value(item, rests) or clone(item, 1) end
  end
  return out
end

-- Returns what is picked, and whether any path led somewhere.
local function pick_value(v, paths)
  if not is_container(v) then return nil, false end
  if is_view(v) then return call(c.pick, v, paths) end
  local of, every = by_step(paths)
  local out, list, any = empty_like(v), is_list(v), #every > 0
  for key, item in raw.pairs(v) do
    local rests, whole = rests_for(key, of, every)
    local picked, found = clone(item, 1), whole
    if not whole and #rests > 0 then
      picked, found = pick_value(item, rests)
      found = found or picked ~= nil and #every > 0
    end
    if found then out[list and #out + 1 or key] = picked end
    any = any or found
  end
  return out, any
end

-- The word's result, or its fault at the caller's line. To be called last, as `return answer(…)`: the word has no frame then.
local function answer(word, ok, ...)
  if ok then return (...) end
  local why = ...
  if type(why) == "string" and why:sub(1, #word + 1) ~= word .. ":" and why:sub(1, #word + 1) ~= word .. " " then
    why = word .. ": " .. why
  end
  error(why, 2)
end

local function want_container(word, v)
  if not is_container(v) then error(word .. " wants an object or array, got " .. words.type(v), 3) end
end

function words.copy(v)
  return answer("copy", pcall(copy_value, v, 1))
end

function words.merge(v, changes)
  want_container("merge", v)
  want_container("merge", changes)
  if is_list(v) or is_list(changes) then error("merge wants two objects; an array is given whole: set(v, path, list)", 2) end
  return answer("merge", pcall(merge_value, v, changes, 1))
end

function words.set(v, path, x)
  want_container("set", v)
  if x == nil then error("set wants a value: json.null writes null, omit(v, path) takes a field out", 2) end
  local ok, why = pcall(c.check_path, path, "set")
  if not ok then error(why, 2) end
  return answer("set", pcall(set_value, v, path, x, 1))
end

local function check_paths(word, paths)
  if type(paths) == "string" then paths = { paths } end
  if type(paths) ~= "table" then error(word .. " wants a path or a list of paths, got " .. words.type(paths), 3) end
  for _, path in raw.ipairs(paths) do
    local ok, why = pcall(c.check_path, path, word, true)
    if not ok then error(why, 3) end
  end
  return paths
end

function words.pick(v, paths)
  want_container("pick", v)
  return answer("pick", pcall(pick_value, v, check_paths("pick", paths)))
end

function words.omit(v, paths)
  want_container("omit", v)
  return answer("omit", pcall(omit_value, v, check_paths("omit", paths)))
end

local function want_list(word, v)
  if not is_container(v) then error(word .. " wants a list, got " .. words.type(v), 3) end
  if not is_list(v) and words.next(v) ~= nil then error(word .. " wants a list, got an object", 3) end
end

local function want_function(word, f)
  if type(f) ~= "function" then error(("%s wants a function, got a %s"):format(word, words.type(f)), 3) end
end

function words.map(list, f)
  want_list("map", list)
  want_function("map", f)
  local out = M.json.array {}
  for i, item in words.ipairs(list) do
    local made = f(item, i)
    if made == nil then error(("map: the function gave nil for item %d: return json.null for a null"):format(i), 2) end
    out[i] = made
  end
  return out
end

function words.filter(list, keeps)
  want_list("filter", list)
  want_function("filter", keeps)
  local out = M.json.array {}
  for i, item in words.ipairs(list) do
    if keeps(item, i) then out[#out + 1] = item end
  end
  return out
end

return M
