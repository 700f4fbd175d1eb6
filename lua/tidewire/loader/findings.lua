--- Mistakes and warnings of one load, each with its place (rules.md 7).
-- @module tidewire.loader.findings
local suggest = require "tidewire.suggest"

local M = {}
M.__index = M

--- @tparam table sources  file name → tidewire.loader.source
function M.new(sources)
  return setmetatable({ list = {}, sources = sources, seen = {} }, M)
end

--- Notes one, once per place and message.
-- @tparam table finding  { file, line, message, token = { line, column, text }, hint, suggestion, warning }
function M:add(finding)
  local token, source = finding.token, self.sources[finding.file]
  local line = token and token.line or finding.line or 0
  local key = table.concat({ finding.file or "", line, finding.message }, "\0")
  if self.seen[key] then
    return
  end
  self.seen[key] = true
  self.list[#self.list + 1] = {
    file = finding.file or "",
    line = line,
    column = token and token.column or 0,
    width = token and #token.text:match "^[^\n]*" or 0,
    message = finding.message,
    source = source and token and source:line(line) or "",
    hint = finding.hint or "",
    suggestion = finding.suggestion or "",
    warning = finding.warning or false,
  }
end

--- hint and suggestion for a word that is not known.
function M.near(word, names)
  local near = suggest.nearest(word, names)
  if near then
    return ("did you mean '%s'?"):format(near), near
  end
end

--- In the order of files and lines; errors and warnings together.
function M:sorted()
  table.sort(self.list, function(a, b)
    if a.file ~= b.file then return a.file < b.file end
    if a.line ~= b.line then return a.line < b.line end
    return a.message < b.message
  end)
  return self.list
end

return M
