--- tidewire reload
-- @module tidewire.cli.reload
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"

local M = { summary = "ask the running router to load its rules again; prints what changed, or the mistakes" }

function M.describe(command)
  command:flag("--wait", "wait until all workers run the new rules (they do when this returns)")
  command:flag("-y --yes", "do not ask before a route in use goes away")
end

local HOUR_MS = 3600000

--- Routes that had events in the last hour and are not in the files any more.
local function losing(arguments)
  local status = router.call(arguments, "GET", "/v1/status")
  local since = ("%d"):format(os.time() * 1000 - HOUR_MS)
  local recent = status and router.call(arguments, "GET", "/v1/events?limit=500&since=" .. since)
  if not recent or recent.status ~= 200 then
    return {}
  end
  local checked = native.check(json.decode(status.body).folder, false, false)
  local staying, gone, seen = {}, {}, {}
  for _, route in ipairs(checked.routes) do
    staying[route.path] = true
  end
  for _, event in ipairs(checked.errors == 0 and json.decode(recent.body).items or {}) do
    if not staying[event.route] and not seen[event.route] then
      seen[event.route] = true
      gone[#gone + 1] = event.route
    end
  end
  return gone
end

--- Asks a person before a route in use goes away. @treturn boolean  go on
local function may_go_on(arguments)
  if arguments.yes or not (native.isatty(0) and native.isatty(1)) then
    return true
  end
  local gone = losing(arguments)
  if #gone == 0 then
    return true
  end
  io.write(("%s had events in the last hour and would answer 404 from now on. Go on? [y/N] "):format(table.concat(gone, ", ")))
  io.flush()
  return (io.read "*l" or ""):lower() == "y"
end

function M.run(arguments)
  if not may_go_on(arguments) then
    screen.fail "nothing was changed"
    return 1
  end
  local answer = router.call(arguments, "POST", "/v1/rules:reload")
  if not answer then
    screen.fail(router.absent(arguments))
    return 4
  end
  if arguments.json then
    print(answer.body)
  else
    io.write(json.decode(answer.body).report)
  end
  return answer.status == 200 and 0 or 3
end

return M
