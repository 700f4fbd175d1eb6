--- tidewire diff: what a reload would change.
-- @module tidewire.cli.diff
local json = require "tidewire.cli.json"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"

local M = { summary = "what a reload would change; nothing is put into force" }

function M.describe() end

function M.run(arguments)
  local answer = router.call(arguments, "POST", "/v1/rules:check")
  if not answer then
    screen.fail(router.absent(arguments))
    return 4
  end
  local said = json.decode(answer.body)
  if arguments.json then
    print(answer.body)
  else
    io.write(said.report or ("tidewire: " .. said.detail .. "\n"))
  end
  return answer.status == 200 and 0 or answer.status == 422 and 3 or 1
end

return M
