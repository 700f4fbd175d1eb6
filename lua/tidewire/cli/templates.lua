--- What `tidewire init` and `tidewire new` write. In the texts {name}, {path} and the like are filled in.
-- @module tidewire.cli.templates
local reference = require "tidewire.reference"
local reference_text = require "tidewire.reference_text"

local M = {}

--- {name} filled in from values.
function M.fill(template, values)
  return (template:gsub("{(%l+)}", values))
end

-- ---- init ----

M.first_rule = [[
-- A push to GitHub becomes one short message. Change a line and save: the next event follows the new rule.
local catcher = target "catcher" {
  url     = env("HELLO_TARGET", "http://127.0.0.1:9000/hello"),
  private = true, -- the catcher of `tidewire listen` runs on this machine
}

route "/github" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  when = { type = "push" },

  handle = function(event)
    local push = event.body
    send(catcher, { json = {
      text = push.pusher.name .. " pushed " .. text.plural(#push.commits, "commit") .. " to " .. push.repository.full_name,
    } })
  end,
}
]]

M.first_test = [[
test "a push becomes one short message" (function()
  local run = feed("/github", sample.github.push)

  expect(run.sent):has(1)
  expect(run.sent[1].json.text):contains "pushed 1 commit"
end)

test "other events are ignored" (function()
  expect(feed("/github", sample.github.star).state):is "ignored"
end)
]]

M.gitignore = "/data/\n/run/\n.env\n"

M.luarc = '{ "runtime.version": "LuaJIT", "workspace.library": [".tidewire"], "diagnostics.globals": [] }\n'

local test_words = { "clock", "expect", "feed", "mock", "sample", "sent", "test" }

--- Names as a list in lines.
local function quoted_list(names)
  local lines, line = {}, " "
  for _, name in ipairs(names) do
    if #line > 100 then
      lines[#lines + 1], line = line, " "
    end
    line = ("%s %q,"):format(line, name)
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local luacheckrc = [[
stds.tidewire = { read_globals = {
{words}
} }
stds.tidewire_test = { read_globals = {
{tests}
} }
std = "tidewire"
files["**/*_test.lua"].std = "tidewire+tidewire_test"
exclude_files = { ".tidewire/**" }
max_line_length = false
]]

--- .luacheckrc
function M.luacheckrc()
  return M.fill(luacheckrc, { words = quoted_list(reference_text.globals(reference)), tests = quoted_list(test_words) })
end

-- ---- new: each gives the file below the rules, and its text ----

M.new = {}

local function upper(name)
  return (name:upper():gsub("[^%w]+", "_"))
end

local route_text = [[
route "{path}" {
  {guard},

  handle = function(event)
    log.info("{path}", { type = event.type, id = event.id })
  end,
}
]]

local own_guard = "verify = verify.hmac { header = \"X-Signature\", secret = secret \"{name}_SECRET\" }"

--- @tparam string name  "github" or "/github/push"
-- @tparam string|nil provider
function M.new.route(name, provider)
  local path = name:sub(1, 1) == "/" and name or "/" .. name
  local base = path:sub(2):gsub("[^%w%-]+", "_")
  local guard = provider and ("from = provider.%s { secret = secret \"%s_SECRET\" }"):format(provider, upper(provider))
    or M.fill(own_guard, { name = upper(base) })
  return base .. ".lua", M.fill(route_text, { path = path, guard = guard })
end

local target_text = [[
-- Other files say: local {name} = require "lib.{name}"
return target "{name}" {
  url = secret "{upper}_URL",
}
]]

function M.new.target(name)
  return "lib/" .. name .. ".lua", M.fill(target_text, { name = name, upper = upper(name) })
end

local task_text = [[
local {name} = task "{name}" {
  handle = function(data)
    log.info("{name}", { data = data })
  end,
}

-- In a handler: {name}:run_in("10m", { … })
return {name}
]]

function M.new.task(name)
  return "lib/" .. name .. ".lua", M.fill(task_text, { name = name })
end

local test_text = [[
test "{name} takes an event" (function()
  local run = feed("/{name}", { json = { id = "1" } })

  expect(run.state):is "done"
end)
]]

function M.new.test(name)
  return name:gsub("^/", ""):gsub("[^%w%-]+", "_") .. "_test.lua", M.fill(test_text, { name = name:gsub("^/", "") })
end

local provider_text = [[
-- Webhooks of {name}: how they are signed, where their type and delivery id stand. Source: the address of their documentation.
return {
  verify = { header = "X-Signature", algorithm = "sha256", encoding = "hex", signed = "{body}" },
  type = "body.type",
  id = "headers.x-delivery-id", -- equal for a repetition, different for anything else; no such value: leave it out
  samples = {
    ["thing.created"] = '{"type":"thing.created","id":"%ID%"}',
  },
}
]]

function M.new.provider(name)
  return "providers/" .. name .. ".lua", M.fill(provider_text, { name = name, body = "{body}" })
end

return M
