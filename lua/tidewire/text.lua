--- text.*: what messages are made of. Lists and values may be views; lengths count characters of UTF-8, not bytes.
-- @module tidewire.text
local views = require "tidewire.views"

local M = {}

local type_of, tostring_of, ipairs_of, get = views.words.type, views.words.tostring, views.words.ipairs, views.words.get

local function text_argument(value, word)
  if type(value) ~= "string" then
    error(("text.%s wants text, got %s"):format(word, type_of(value)), 3)
  end
  return value
end

--- Without white space at both ends.
function M.trim(s)
  return (text_argument(s, "trim"):match "^%s*(.-)%s*$")
end

--- The parts between separators (plain text), empty ones too.
function M.split(s, separator)
  text_argument(s, "split")
  if type(separator) ~= "string" or separator == "" then
    error("text.split wants a separator", 2)
  end
  local parts, at = {}, 1
  while true do
    local from, to = s:find(separator, at, true)
    parts[#parts + 1] = s:sub(at, (from or 0) - 1)
    if not from then return parts end
    at = to + 1
  end
end

function M.starts(s, beginning)
  return text_argument(s, "starts"):sub(1, #text_argument(beginning, "starts")) == beginning
end

function M.ends(s, ending)
  text_argument(ending, "ends")
  return ending == "" or text_argument(s, "ends"):sub(-#ending) == ending
end

--- Up to the first line end.
function M.first_line(s)
  return (text_argument(s, "first_line"):match "^[^\r\n]*")
end

--- "1 commit", "3 commits"; a third argument is the plural of its own.
function M.plural(n, one, many)
  if type_of(n) ~= "number" then
    error("text.plural wants a number first", 2)
  end
  return ("%s %s"):format(tostring_of(n), n == 1 and text_argument(one, "plural") or many or one .. "s")
end

--- The items of a list as one text; path picks from each item.
function M.join(list, separator, path)
  if type_of(list) ~= "table" then
    error(("text.join wants a list, got %s"):format(type_of(list)), 2)
  end
  local parts = {}
  for i, item in ipairs_of(list) do
    if path ~= nil then item = get(item, path) end
    local kind = type_of(item)
    if kind == "secret" then
      error("text.join: a secret has no place in a text: write \"…\" .. secret \"NAME\" where the message is built", 2)
    elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      error(("text.join: item %d is a %s, not text"):format(i, kind), 2)
    end
    parts[#parts + 1] = tostring_of(item)
  end
  return table.concat(parts, separator or "")
end

local character = "[%z\1-\127\194-\244][\128-\191]*"

--- At most n characters; what is cut ends with a mark, which counts.
function M.truncate(s, n, mark)
  text_argument(s, "truncate")
  mark = mark or "…"
  if type(n) ~= "number" or n < 0 then
    error("text.truncate wants a number of characters", 2)
  end
  local _, length = s:gsub(character, "")
  if length <= n then return s end
  local _, mark_length = mark:gsub(character, "")
  local keep, taken = math.max(n - mark_length, 0), {}
  for c in s:gmatch(character) do
    if #taken == keep then break end
    taken[#taken + 1] = c
  end
  return table.concat(taken) .. (mark_length <= n and mark or "")
end

--- Lower case letters and digits with '-' between: for names in addresses.
function M.slug(s)
  return (text_argument(s, "slug"):lower():gsub("[^%w]+", "-"):gsub("^%-+", ""):gsub("%-+$", ""))
end

--- The entry for s: its own, else that of the pattern with the longest beginning before its '*'.
function M.choose(s, entries)
  if type(entries) ~= "table" then
    error("text.choose wants a table of names and patterns", 2)
  end
  if s == nil then return nil end
  text_argument(s, "choose")
  if entries[s] ~= nil then return entries[s] end
  local best, best_length
  for pattern, entry in pairs(entries) do
    local fixed = type(pattern) == "string" and pattern:match "^([^*]*)%*"
    if fixed and (not best_length or #fixed > best_length) then
      local plain = pattern:gsub("[%-%.%+%[%]%(%)%$%^%%%?]", "%%%0"):gsub("%*", ".*")
      if s:find("^" .. plain .. "$") then
        best, best_length = entry, #fixed
      end
    end
  end
  return best
end

local escapes = {
  json = function(s) return (views.json.encode(s):sub(2, -2)) end,
  html = function(s)
    return (s:gsub("[&<>\"']", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&quot;", ["'"] = "&#39;" }))
  end,
}

--- {name} filled in from values, escaped for where the text goes.
function M.fill(s, values, form)
  text_argument(s, "fill")
  if type_of(values) ~= "table" then
    error(("text.fill wants a table of values, got %s"):format(type_of(values)), 2)
  end
  local escape = escapes[form]
  if form ~= nil and not escape then
    error("text.fill: the form is \"json\" or \"html\"", 2)
  end
  local wrong
  local filled = s:gsub("{([%a_][%w_]*)}", function(name)
    local value = values[name]
    local kind = type_of(value)
    if kind == "secret" then
      wrong = wrong or ("{%s} is a secret: write \"…\" .. secret \"NAME\" where the message is built"):format(name)
    elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      wrong = wrong or ("{%s} is %s"):format(name, kind == "nil" and "not given" or "a " .. kind)
    else
      local text = tostring_of(value)
      return escape and escape(text) or text
    end
  end)
  if wrong then
    error("text.fill: " .. wrong, 2)
  end
  return filled
end

return M
