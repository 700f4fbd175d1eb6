--- tidewire version
-- @module tidewire.cli.version
local native = require "tidewire.native"

local M = { summary = "the version, and what it was built with" }

function M.describe() end

function M.run(arguments)
  local v = native.version()
  if arguments.json then
    print(("{\"version\":%q,\"lua\":%q,\"openssl\":%q,\"curl\":%q,\"sqlite\":%q,\"uv\":%q,\"llhttp\":%q}"):format(
      v.version, v.lua, v.openssl, v.curl, v.sqlite, v.uv, v.llhttp))
  else
    print("tidewire " .. v.version)
    print(("%s, %s, libcurl %s, SQLite %s, libuv %s, llhttp %s"):format(v.lua, v.openssl, v.curl, v.sqlite, v.uv, v.llhttp))
  end
  return 0
end

return M
