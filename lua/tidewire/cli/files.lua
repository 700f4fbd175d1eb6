--- Files that commands write into a folder of rules: never over what is there, unless it is said.
-- @module tidewire.cli.files
local native = require "tidewire.native"

local M = {}

function M.exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- Writes a file, and the folders that lead to it.
-- @tparam string path
-- @tparam string text
-- @tparam boolean over  also over a file that is there
-- @treturn boolean|nil  true; nil and why
function M.write(path, text, over)
  if not over and M.exists(path) then
    return nil, path .. " is there already"
  end
  for at in path:gmatch "()/" do
    local folder = path:sub(1, at - 1)
    if folder ~= "" then
      local made, why = native.make_folder(folder)
      if not made then
        return nil, ("%s: %s"):format(folder, why)
      end
    end
  end
  local file, why = io.open(path, "wb")
  if not file then
    return nil, why
  end
  file:write(text)
  file:close()
  return true
end

return M
