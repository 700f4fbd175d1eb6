-- The harness of the *_spec.lua files beside it: gives them the words of a rule and `it`, `once`, `is`, `fails`.
-- Called by test_views.c with the module, the helpers written in C, how often each sentence is run, and the file.
local module, helpers, rounds, file = ...

local env = {
  json = module.json, secret = module.secret.new, error = error, pcall = pcall, print = print,
  table = setmetatable(module.table, { __index = table }), string = setmetatable(module.string, { __index = string }),
}
for name, word in pairs(module.words) do env[name] = word end
for name, helper in pairs(helpers) do env[name] = helper end
debug.getmetatable("").__index = env.string

env.foreign = newproxy(true)
getmetatable(env.foreign).__type = "headers"
getmetatable(env.foreign).__pairs = function() return next, { a = 1 } end

local sentence

local function complain(level, ...)
  local line = level and debug.getinfo(level + 1, "l").currentline or 0
  helpers.note_failure(("%s:%d: %s: %s"):format(file, line, sentence, string.format(...)))
end

function env.is(got, want, about)
  if got ~= want then complain(2, "got %s, wanted %s %s", tostring(got), tostring(want), about or "") end
end

function env.fails(pattern, f)
  local ok, why = pcall(f)
  if ok then
    complain(2, "did not fail")
  elseif not tostring(why):find(pattern) then
    complain(2, "failed with: %s", tostring(why))
  end
end

local function run(words, f, times)
  sentence = words
  for _ = 1, times do
    local ok, why = pcall(f)
    if not ok then return complain(nil, "%s", tostring(why)) end
  end
end

function env.it(words, f)
  run(words, f, rounds)
end

function env.once(words, f)
  run(words, f, 1)
end

setfenv(assert(loadstring(io.open("tests/core/json/" .. file):read "*a", "=" .. file)), env)()
