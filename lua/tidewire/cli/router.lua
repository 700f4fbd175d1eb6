--- Talks to the running router over its admin socket.
-- @module tidewire.cli.router
local native = require "tidewire.native"

local M = {}

--- Where the router of this folder listens for us: flag, then environment, then the folder's default.
-- @treturn string  path of the UNIX socket
function M.socket(arguments)
  local address = arguments.admin or os.getenv "TIDEWIRE_ADMIN"
  if address then
    return (address:gsub("^unix:", ""))
  end
  return (arguments.folder or ".") .. "/run/tidewire.sock"
end

--- One call. @treturn table|nil  { status, body }; nil when nobody answers
function M.call(arguments, method, path, body)
  return native.request {
    socket = M.socket(arguments),
    method = method,
    url = "http://localhost" .. path,
    headers = { "X-Tidewire-Request: 1" },
    body = body,
    timeout_ms = 30000,
  }
end

--- What to say when nobody answers (exit code 4).
function M.absent(arguments)
  return ("no router answers at %s. Start one with 'tidewire run', or name another with --admin unix:PATH."):format(
    M.socket(arguments))
end

return M
