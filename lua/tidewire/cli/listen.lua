--- tidewire listen: a catcher that prints and answers whatever arrives.
-- @module tidewire.cli.listen
local native = require "tidewire.native"
local screen = require "tidewire.cli.screen"

local M = { summary = "a catcher: prints and answers whatever arrives" }

function M.describe(command)
  command:argument("port", "on 127.0.0.1; default 9000"):args "?"
  command:option("--status", "what to answer"):argname "N":default "200":convert(tonumber)
  command:option("--delay", "how long to wait before the answer, for example 2s"):argname "DURATION":default "0ms"
end

local units = { ms = 1, s = 1000, m = 60000 }

local function milliseconds(text)
  local number, unit = text:match "^(%d+)(%a+)$"
  return number and units[unit] and tonumber(number) * units[unit]
end

function M.run(arguments)
  local delay_ms = milliseconds(arguments.delay)
  if not delay_ms then
    screen.fail(("--delay %s needs a unit: write 500ms or 2s"):format(arguments.delay))
    return 2
  end
  local port = tonumber(arguments.port or 9000)
  if not port or port < 0 or port > 65535 then
    screen.fail("the port is a number from 0 to 65535 (0: any free one)")
    return 2
  end
  if arguments.status < 200 or arguments.status > 599 then
    screen.fail("--status is a number from 200 to 599")
    return 2
  end
  local ok, why = native.listen(port, arguments.status, delay_ms, arguments.json or false)
  if not ok then
    screen.fail(why)
    return 1
  end
  return 0
end

return M
