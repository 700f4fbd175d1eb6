--- Answers of the admin API as plain tables: the same views that rules get, copied.
-- @module tidewire.cli.json
local views = require "tidewire.views"

local M = { null = views.null }

function M.decode(text)
  return views.words.copy(views.json.decode(text))
end

M.encode, M.array = views.json.encode, views.json.array

return M
