--- How results look: aligned on a terminal, tabs in a pipe, JSON when asked.
-- @module tidewire.cli.screen
local native = require "tidewire.native"
local suggest = require "tidewire.suggest"

local M = { colour = false, terminal = false, quiet = false }

local signs = {
  delivered = "✓", done = "✓", dead = "✗", waiting = "…", delivering = "…", dropped = "·", recorded = "·", discarded = "·",
}
local colours = { delivered = "32", done = "32", dead = "31", waiting = "33", delivering = "33" }

--- @tparam table arguments  parsed: json, no_color, quiet
function M.setup(arguments)
  M.terminal = native.isatty(1)
  M.quiet = arguments.quiet or false
  M.colour = M.terminal and not arguments.no_color and not os.getenv "NO_COLOR" and os.getenv "TERM" ~= "dumb"
    and os.getenv "CLICOLOR" ~= "0"
end

--- One line on stderr.
function M.fail(message)
  io.stderr:write("tidewire: ", message, "\n")
end

--- A hint for a person: only on a terminal.
function M.hint(text)
  if M.terminal and not M.quiet then
    io.stderr:write(text, "\n")
  end
end

--- ". Did you mean 'x'?" for a word that is near a known one, or "".
function M.did_you_mean(word, known, more)
  local names = { more }
  for _, name in ipairs(known) do
    names[#names + 1] = name
  end
  local near = suggest.nearest(word, names)
  return near and (". Did you mean '%s'?"):format(near) or ""
end

--- A state with its sign: never by colour alone.
function M.state(name)
  local text = M.terminal and (signs[name] or " ") .. " " .. name or name
  if M.colour and colours[name] then
    return ("\027[%sm%s\027[0m"):format(colours[name], text)
  end
  return text
end

local function width(text)
  local plain = text:gsub("\027%[[%d;]*m", "")
  local _, continuation = plain:gsub("[\128-\191]", "")
  return #plain - continuation
end

--- Rows of texts under heads: aligned on a terminal, tabs without heads in a pipe.
function M.rows(heads, rows)
  if not M.terminal then
    for _, row in ipairs(rows) do
      print(table.concat(row, "\t"))
    end
    return
  end
  local widths = {}
  for _, row in ipairs({ heads, unpack(rows) }) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, width(cell))
    end
  end
  for _, row in ipairs({ heads, unpack(rows) }) do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = cell .. (i < #row and (" "):rep(widths[i] - width(cell)) or "")
    end
    print(table.concat(cells, "  "))
  end
end

--- "09:14:02" on a terminal, the whole moment in a pipe.
function M.time(iso)
  return M.terminal and iso:sub(12, 19) or iso
end

return M
