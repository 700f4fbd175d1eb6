--- What form and xml have in common: a text under construction as a list of pieces, so that a secret may stand in a message, and
-- the text of plain values.
-- @module tidewire.parts
local views = require "tidewire.views"

local M = {}

local type_of, text_of = views.words.type, views.words.tostring

--- The text of a string, number or boolean as JSON would write it; a secret as it is; nil for anything else.
function M.scalar(value)
  local kind = type_of(value)
  if kind == "string" or kind == "secret" then
    return value
  elseif kind == "boolean" or kind == "number" and type(value) ~= "number" then
    return text_of(value)
  elseif kind == "number" and value - value == 0 then -- neither NaN nor infinite
    return views.json.encode(value)
  end
end

--- The same text in as few pieces as there can be.
-- @tparam table parts  strings and secrets
-- @treturn table
function M.merge(parts)
  local merged, run = {}, {}
  for _, part in ipairs(parts) do
    if type(part) == "string" then
      run[#run + 1] = part
    else
      merged[#merged + 1] = table.concat(run)
      merged[#merged + 1] = part
      run = {}
    end
  end
  merged[#merged + 1] = table.concat(run)
  return merged
end

--- One text of pieces that hold no secret, for a word of rules: what is wrong is raised where that was called.
-- @tparam string word  "form.encode"
-- @tparam {string,...} parts  nil: there are none, and why
-- @treturn string
function M.join(word, parts, why)
  if not parts then
    error(("%s: %s"):format(word, why), 3)
  end
  for _, part in ipairs(parts) do
    if type(part) ~= "string" then
      error(word .. " cannot take a secret: rules never see its value; send puts it into a message", 3)
    end
  end
  return table.concat(parts)
end

return M
