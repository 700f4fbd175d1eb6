--- text.*: what messages are made of. Lists and values may be views; lengths count characters of UTF-8, not bytes.
-- @module tidewire.text
local views = require "tidewire.views"

local M = {}

local type_of, tostring_of, get = views.words.type, views.words.tostring, views.words.get
local pairs_of, ipairs_of, next_of = views.words.pairs, views.words.ipairs, views.words.next

local function text_argument(value, word)
  if type(value) ~= "string" then
    error(("text.%s wants text, got %s"):format(word, type_of(value)), 3)
  end
  return value
end

--- Without white space at both ends. Two steps: one pattern for both would be quadratic in what a sender chose.
function M.trim(s)
  local from = text_argument(s, "trim"):match "^%s*()"
  return from > #s and "" or s:match(".*%S", from)
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
  text_argument(s, "starts")
  return s:sub(1, #text_argument(beginning, "starts")) == beginning
end

function M.ends(s, ending)
  text_argument(s, "ends")
  return text_argument(ending, "ends") == "" or s:sub(-#ending) == ending
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
  text_argument(one, "plural")
  many = many == nil and one .. "s" or text_argument(many, "plural")
  return tostring_of(n) .. " " .. (n == 1 and one or many)
end

-- path is one that get takes: said once, before the first item.
local function check_join(list, separator, path)
  if type_of(list) ~= "table" then
    error(("text.join wants a list, got %s"):format(type_of(list)), 3)
  elseif separator ~= nil then
    text_argument(separator, "join")
  end
  if path == nil then return end
  local ok, why = pcall(get, {}, path)
  if not ok then
    error("text.join: " .. tostring(why), 3)
  end
end

local function joinable(item, i, path)
  local kind = type_of(item)
  if kind == "secret" then
    error("text.join: a secret has no place in a text: write \"…\" .. secret \"NAME\" where the message is built", 3)
  elseif kind == "nil" then
    error(("text.join: item %d has nothing at '%s'"):format(i, path), 3)
  elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    error(("text.join: item %d is a %s, not text"):format(i, kind), 3)
  end
  return tostring_of(item)
end

--- The items of a list as one text; path picks from each item.
function M.join(list, separator, path)
  check_join(list, separator, path)
  local parts = {}
  for i, item in ipairs_of(list) do
    if path ~= nil then item = get(item, path) end
    parts[i] = joinable(item, i, path)
  end
  if #parts == 0 and next_of(list) ~= nil then
    error("text.join wants a list, got an object", 2)
  end
  return table.concat(parts, separator or "")
end

-- The place behind the character at `at` (RFC 3629). A byte that belongs to none counts as one, so that a count is a bound also
-- for what is not UTF-8.
local function after_character(s, at)
  local lead = s:byte(at)
  local size = (lead < 0xc2 or lead > 0xf4) and 1 or lead < 0xe0 and 2 or lead < 0xf0 and 3 or 4
  for i = at + 1, at + size - 1 do
    local byte = s:byte(i)
    if not byte or byte < 0x80 or byte > 0xbf then return at + 1 end
  end
  return at + size
end

-- How many bytes the first n characters take; nil when there are no more than n.
local function bytes_of(s, n)
  local at = 1
  for _ = 1, n do
    if at > #s then return nil end
    at = after_character(s, at)
  end
  return at <= #s and at - 1 or nil
end

local function characters_of(s)
  local n, at = 0, 1
  while at <= #s do
    n, at = n + 1, after_character(s, at)
  end
  return n
end

--- At most n characters; what is cut ends with a mark, which counts. No room for the mark: without it.
function M.truncate(s, n, mark)
  text_argument(s, "truncate")
  if type(n) ~= "number" or not (n >= 0 and n % 1 == 0) then
    error("text.truncate wants a whole number of characters", 2)
  end
  mark = mark == nil and "…" or text_argument(mark, "truncate")
  local most = bytes_of(s, n)
  if not most then return s end
  local keep = n - characters_of(mark)
  if keep < 0 then return s:sub(1, most) end
  return s:sub(1, bytes_of(s, keep)) .. mark
end

--- Lower case letters and digits with '-' between: for names in addresses.
function M.slug(s)
  return (text_argument(s, "slug"):lower():gsub("[^%w]+", "-"):gsub("^%-+", ""):gsub("%-+$", ""))
end

-- s is what the pattern says: '*' stands for anything, also for nothing. Each part is looked for once, from left to right.
local function matches(s, pattern)
  local part, rest = pattern:match "^([^*]*)%*(.*)$"
  if s:sub(1, #part) ~= part then return false end
  local at = #part + 1
  while true do
    part, pattern = rest:match "^([^*]*)%*(.*)$", rest
    if not part then break end
    rest = rest:sub(#part + 2)
    local from, to = s:find(part, at, true)
    if not from then return false end
    at = to + 1
  end
  return #s - #pattern + 1 >= at and s:sub(#s - #pattern + 1) == pattern
end

-- Of two patterns that match, the one that says more: the same in every worker, whatever the order of a table.
local function says_more(pattern, than)
  local fixed, than_fixed = pattern:find("*", 1, true), than:find("*", 1, true)
  if fixed ~= than_fixed then return fixed > than_fixed end
  if #pattern ~= #than then return #pattern > #than end
  return pattern < than
end

--- The entry for s: its own, else that of the pattern with the longest beginning before its '*', then of the longest pattern.
function M.choose(s, entries)
  if type_of(entries) ~= "table" then
    error("text.choose wants a table of names and patterns", 2)
  end
  if s == nil then return nil end
  text_argument(s, "choose")
  if entries[s] ~= nil then return entries[s] end
  local best
  for pattern in pairs_of(entries) do
    local usable = type(pattern) == "string" and pattern:find("*", 1, true)
    if usable and (not best or says_more(pattern, best)) and matches(s, pattern) then
      best = pattern
    end
  end
  return best and entries[best]
end

-- What a value becomes where it stands; nil and why when it cannot stand there.
local escapes = {
  json = function(s)
    local ok, text = pcall(views.json.encode, s)
    if ok then return text:sub(2, -2) end
    return nil, (tostring(text):gsub("^json%.encode: value ", ""))
  end,
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
  local escape = form == nil and tostring_of or escapes[form]
  if not escape then
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
    elseif form == "json" and (value ~= value or value == math.huge or value == -math.huge) then
      wrong = wrong or ("{%s} is a number that JSON has not"):format(name)
    else
      local text, why = escape(tostring_of(value))
      wrong = wrong or why and ("{%s} %s"):format(name, why)
      return text
    end
  end)
  if wrong then
    error("text.fill: " .. wrong, 2)
  end
  return filled
end

return M
