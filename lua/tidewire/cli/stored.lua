--- What is stored: from the running router, else from its store.
-- @module tidewire.cli.stored
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"

local M = {}

function M.escape(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- The router if it answers, else the file, else what to do.
function M.ask(arguments, path, offline)
  local answer = router.call(arguments, "GET", path)
  if answer then
    return answer.status, answer.body
  end
  local file = arguments.store or os.getenv "TIDEWIRE_STORE" or (arguments.folder or ".") .. "/data/tidewire.db"
  local body, why = offline((file:gsub("^sqlite:", "")))
  if body then
    return 200, body
  end
  if why == "not found" then
    return 404
  end
  screen.fail(router.absent(arguments) .. "\n  and the store cannot be read: " .. why)
  return nil
end

--- JSON of an event; or nil and the exit code, when what was wrong is said.
-- @tparam table arguments  parsed: admin, store, folder
-- @tparam string id
function M.event(arguments, id)
  local status, body = M.ask(arguments, "/v1/events/" .. M.escape(id), function(file)
    return native.store_show(file, id)
  end)
  if not status then
    return nil, 4
  elseif status == 404 then
    screen.fail(("there is no event %s"):format(id))
    return nil, 5
  elseif status ~= 200 then
    screen.fail(json.decode(body).detail or body)
    return nil, 2
  end
  return body
end

return M
