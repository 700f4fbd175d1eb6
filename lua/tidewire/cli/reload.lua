--- tidewire reload
-- @module tidewire.cli.reload
local json = require "tidewire.cli.json"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"

local M = { summary = "ask the running router to load its rules again; prints what changed, or the mistakes" }

function M.describe(command)
  command:flag("--wait", "wait until all workers run the new rules (they do when this returns)")
end

function M.run(arguments)
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
