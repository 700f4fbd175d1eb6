--- The command line: every command but `run`, which is C. Called as main(arguments) and returns the exit code.
-- @module tidewire.cli.main
local argparse = require "argparse"
local screen = require "tidewire.cli.screen"

local M = {}

-- Each command: a module of this folder with `describe(parser)` and `run(arguments) -> exit code`.
local commands = {
  "api", "check", "diff", "events", "explain", "init", "listen", "new", "reload", "repl", "replay", "routes", "samples", "send",
  "status", "test", "version",
}

local aliases = { lint = "check", validate = "check", trigger = "send", serve = "run" }

local short_help = [[
tidewire receives webhooks, lets a few lines of Lua decide, and delivers for sure.

  tidewire run [FOLDER]           start the router on the rules of a folder
  tidewire init [FOLDER]          a first rule and its test, and what editors want to know
  tidewire check                  load the rules without running them; every mistake in one go
  tidewire test                   run the tests beside the rules: rules/NAME_test.lua
  tidewire send ROUTE SAMPLE      send a signed sample: tidewire send /github push
  tidewire events                 what arrived, and what became of it
  tidewire explain EVENT|FILE     a dry run with each decision: nothing is stored, nothing sent
  tidewire reload                 load the rules again; prints what changed, or the mistakes
  tidewire listen PORT            a catcher: prints and answers whatever arrives

tidewire help --all shows every command, tidewire help COMMAND one of them.
]]

local run_help = [[
Usage: tidewire run [FOLDER] [--listen ADDR:PORT] [--admin unix:PATH|off] [--store PATH] [--workers N]
                    [--watch | --no-watch] [--strict]

Starts the router: reads FOLDER/rules/ if there is one, else FOLDER (default: the present folder).

  --listen ADDR:PORT   where webhooks come in; default 127.0.0.1:8080
  --admin unix:PATH    where the other commands find this router; default FOLDER/run/tidewire.sock
  --store PATH         the SQLite file; default FOLDER/data/tidewire.db
  --workers N          threads that take requests; default: one per CPU
  --watch, --no-watch  load rules again when a file changes; default: on a terminal
  --strict             a missing secret stops the start, as in production
  --drain DURATION     how long a shutdown waits for what is in flight; default 10s
  --log-format json|terminal, --log-level debug|info|warn|error

Each flag has an environment twin: TIDEWIRE_LISTEN, TIDEWIRE_ADMIN, TIDEWIRE_STORE, TIDEWIRE_WORKERS …
]]

--- @tparam {string,...} names  of the commands it has to know: one that is about to run needs no other
local function build_parser(names)
  local parser = argparse("tidewire", "A webhook router: verify, decide in Lua, deliver for sure.")
  parser:add_help(true)
  parser:command_target "command"
  parser:command("run", "start the router"):add_help(false)
  parser:command("help", "this help"):add_help(false)
  for _, name in ipairs(names) do
    local module = require("tidewire.cli." .. name)
    local command = parser:command(name, module.summary)
    module.describe(command)
    command:flag("--json", "results as JSON")
    command:option("--admin", "which router to talk to: unix:PATH"):argname "ADDRESS"
    command:option("--folder", "the folder given to `run`"):argname "DIR"
    command:flag("--no-color", "no colour")
    command:flag("-q --quiet", "only what was asked for")
  end
  return parser
end

--- Prints help for all, for one command, or the six commands used most.
local function help(arguments)
  local topic = arguments[2]
  if topic == "run" then
    io.write(run_help)
    return 0
  end
  local parser = build_parser(commands)
  if topic == "--all" then
    print(parser:get_help())
    return 0
  end
  for _, name in ipairs(commands) do
    if topic == name then
      parser:parse({ name, "--help" })
    end
  end
  if topic and topic ~= "--help" and topic ~= "-h" then
    screen.fail(("there is no command '%s'%s"):format(topic, screen.did_you_mean(topic, commands, "run")))
    return 2
  end
  io.write(short_help)
  return 0
end

local function is_command(name)
  for _, known in ipairs(commands) do
    if known == name then
      return true
    end
  end
  return false
end

--- @tparam {string,...} arguments  without the program's name
-- @treturn number  exit code (interface.md 1.3)
function M.main(arguments)
  local name = arguments[1]
  if name == nil or name == "help" or name == "--help" or name == "-h" then
    return help(arguments)
  end
  if name == "run" then -- only for its help: C starts the router
    io.write(run_help)
    return 0
  end
  if name == "--version" then
    name, arguments = "version", { "version" }
  end
  if aliases[name] then
    io.stderr:write(("tidewire: '%s' is 'tidewire %s' here\n"):format(name, aliases[name]))
    arguments[1], name = aliases[name], aliases[name]
  end
  if not is_command(name) then
    screen.fail(("there is no command '%s'%s"):format(name, screen.did_you_mean(name, commands, "run")))
    return 2
  end
  local parser = build_parser { name }
  local ok, parsed = parser:pparse(arguments)
  if not ok then
    screen.fail(parsed .. ("\nSee: tidewire help %s"):format(name))
    return 2
  end
  screen.setup(parsed)
  local done, code = xpcall(require("tidewire.cli." .. name).run, debug.traceback, parsed)
  if not done then
    screen.fail(tostring(code))
    return 1
  end
  return code
end

return M
