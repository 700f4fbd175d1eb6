--- tidewire check: load the rules without running them.
-- @module tidewire.cli.check
local native = require "tidewire.native"
local screen = require "tidewire.cli.screen"

local M = { summary = "load the rules without running them; every mistake in one go" }

function M.describe(command)
  command:argument("target_folder", "the folder given to `run`"):args "?"
  command:flag("--strict", "warnings are failures, missing secrets too")
end

local function plural(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

function M.run(arguments)
  local folder = arguments.folder or arguments.target_folder or "."
  local checked = native.check(folder, arguments.strict or os.getenv "TIDEWIRE_ENV" == "production", screen.colour)
  if arguments.json then
    print(checked.json)
  else
    io.write(checked.text)
    if checked.errors == 0 then
      print(("✓ %s, %s, %s"):format(plural(#checked.files, "file"), plural(#checked.routes, "route"),
        plural(#checked.targets, "target")))
    end
    for _, route in ipairs(checked.routes) do
      if route.ack == "received" then
        print(("  %s answers before the event is on disk (ack = \"received\")"):format(route.path))
      end
    end
  end
  if checked.errors > 0 or (arguments.strict and checked.warnings > 0) then
    return 3
  end
  return 0
end

return M
