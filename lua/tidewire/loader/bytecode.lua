--- What a compiled rule file reads and writes, functions inside functions too: names, secrets, settings, assignments.
-- The numbers of the few instructions that matter are asked of the running LuaJIT by compiling one line that needs each, so no
-- table of another version can be wrong.
-- @module tidewire.loader.bytecode
local util = require "jit.util"
local bit = require "bit"

local M = {}

local function fields(word)
  local d = bit.rshift(word, 16)
  return bit.band(word, 0xff), bit.band(bit.rshift(word, 8), 0xff), d, bit.band(d, 0xff)
end

--- The operation that `code` needs and that its neighbour without it has not.
local function operation(code, index, inner)
  local f = assert(loadstring(code))
  if inner then
    f = util.funck(f, -1)
  end
  return (fields(util.funcbc(f, index)))
end

local GGET = operation("return x", 1)
local GSET = operation("x = ...", 2)
local KSTR = operation("local x = 'text'", 1)
local TGETS = operation("local x; return x.y", 2)
local MOV = operation("local x; local y = x", 2)
local CALL = operation("x()", 2)
local CALLT = operation("return x()", 2)
local RET0 = operation("", 1)
local USET = {
  [operation("local x; x = x; return function(y) x = y end", 1, true)] = true,
  [operation("local x; x = x; return function() x = 'text' end", 1, true)] = true,
  [operation("local x; x = x; return function() x = 1 end", 1, true)] = true,
  [operation("local x; x = x; return function() x = nil end", 1, true)] = true,
}
assert(GGET ~= GSET and GSET ~= KSTR and CALL ~= CALLT, "this LuaJIT is not understood")

local function constant(f, d)
  return util.funck(f, -d - 1)
end

-- From the register of what is called to its first argument.
local FIRST_ARGUMENT
do
  local f = assert(loadstring "x('text')")
  local _, called = fields(util.funcbc(f, 1))
  local _, argument = fields(util.funcbc(f, 2))
  FIRST_ARGUMENT = argument - called
end

--- Texts that stand as arguments right after instruction `pc`, which loads what is called, up to the call.
local function literal_arguments(f, pc, called)
  local texts, at = {}, pc + 1
  while true do
    local word = util.funcbc(f, at)
    if not word then return texts end
    local op, a, d, c = fields(word)
    if op == KSTR and a == called + FIRST_ARGUMENT + #texts then
      texts[#texts + 1] = constant(f, d)
    elseif op == CALL or op == CALLT then
      return texts, a, (op == CALL and c or d) - 1
    else
      return texts
    end
    at = at + 1
  end
end

--- The field that is read of register `a` right after instruction `pc`.
-- @treturn string|nil  its name
-- @treturn boolean  it is read to be called with ':'
local function field_of(f, pc, register)
  local op, a, d, c = fields(util.funcbc(f, pc + 1))
  local is_method = op == MOV and d == register and a == register + FIRST_ARGUMENT
  if is_method then
    op, a, d, c = fields(util.funcbc(f, pc + 2))
  end
  if op == TGETS and bit.rshift(d, 8) == register and (not is_method or a == register) then
    return constant(f, c), is_method
  end
end

local function line_of(f, pc)
  return util.funcinfo(f, pc).currentline
end

local function upvalue_names(f)
  local names, i = {}, 0
  while true do
    local name = util.funcuvname(f, i)
    if not name then return names end
    names[i] = name
    names[name] = true
    i = i + 1
  end
end

local function is_of_file(upvalues, name)
  for _, level in ipairs(upvalues) do
    if not level[name] then
      return false -- a function in between has a variable of its own by that name
    end
  end
  return true
end

--- @tparam function chunk  a loaded file
-- @treturn table  list of { kind, name, line, depth, … }: kind "read", "write" (global), "assign" (a local of the file, from
-- inside a function), "literal" (a call name(texts…) with `texts` and the number of `arguments`), "field" (name.field with
-- `field`; `is_method`: name:field()), "call" (with `arguments`)
function M.scan(chunk)
  local uses = {}
  local function use(kind, f, pc, name, depth, more)
    more = more or {}
    more.kind, more.name, more.line, more.depth = kind, name, line_of(f, pc), depth
    uses[#uses + 1] = more
  end

  local function walk(f, depth, between)
    local names = upvalue_names(f)
    local base_of = {} -- register → the global function that waits there for its call
    for pc = 1, math.huge do
      local word = util.funcbc(f, pc)
      if not word then break end
      local op, a, d, c = fields(word)
      if op == GGET then
        local name = constant(f, d)
        local texts, base, arguments = literal_arguments(f, pc, a)
        local field, is_method = field_of(f, pc, a)
        use("read", f, pc, name, depth)
        use("literal", f, pc, name, depth, { texts = texts, arguments = base == a and arguments or nil })
        if field then
          use("field", f, pc, name, depth, { field = field, is_method = is_method })
        end
        base_of[a] = name
      elseif op == GSET then
        use("write", f, pc, constant(f, d), depth)
      elseif (op == CALL or op == CALLT) and base_of[a] then
        use("call", f, pc, base_of[a], depth, { arguments = (op == CALL and c or d) - 1 })
        base_of[a] = nil
      elseif USET[op] and depth > 0 and is_of_file(between, names[a]) then
        use("assign", f, pc, names[a], depth)
      end
    end
    local inner = {}
    for _, level in ipairs(between) do
      inner[#inner + 1] = level
    end
    if depth > 0 then
      inner[#inner + 1] = names
    end
    for i = -1, -math.huge, -1 do
      local k = util.funck(f, i)
      if k == nil then break end
      if type(k) == "proto" then
        walk(k, depth + 1, inner)
      end
    end
  end

  walk(chunk, 0, {})
  return uses
end

--- The lines that the functions of a file can run; not those of the file's own text, nor the `end` of a function.
-- @tparam function chunk  a loaded file
-- @treturn table  line → true
function M.lines(chunk)
  local lines = {}
  local function walk(f, depth)
    local last = util.funcinfo(f).lastlinedefined
    for pc = 1, math.huge do
      local word = depth > 0 and util.funcbc(f, pc)
      if not word then break end
      local line = line_of(f, pc)
      if not (fields(word) == RET0 and line == last) then
        lines[line] = true
      end
    end
    for i = -1, -math.huge, -1 do
      local k = util.funck(f, i)
      if k == nil then break end
      if type(k) == "proto" then
        walk(k, depth + 1)
      end
    end
  end
  walk(chunk, 0)
  return lines
end

return M
