--- What was logged in a trial, as a person reads it.
-- @module tidewire.trial.log
local requests = require "tidewire.trial.request"

local M = {}

local function first_line(text)
  return text:match "^[^\n]*"
end

--- What the rules logged, and warnings of the router; how requests and attempts went stands in the story.
function M.shown(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    local entry = requests.json_of(line)
    local is_rule = entry and entry.msg == "rule"
    if entry and (is_rule or entry.level ~= "info") and entry.msg ~= "attempt failed" and entry.msg ~= "delivery dead" then
      local why = entry.detail or entry.reason
      local what = is_rule and entry.text or entry.msg .. (why and ": " .. tostring(why) or "")
      lines[#lines + 1] = ("%s %s%s"):format(entry.level, first_line(what), entry.fields and " " .. tostring(entry.fields) or "")
    end
  end
  return lines
end

return M
