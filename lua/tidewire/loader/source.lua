--- The text of a rule file as tokens: to say in which line and column an option stands.
-- @module tidewire.loader.source
local M = {}
M.__index = M

local function long_bracket(text, at)
  local level = text:match("^%[(=*)%[", at)
  if level then
    local _, stop = text:find("]" .. level .. "]", at, true)
    return level, stop or #text
  end
end

--- Where the token that begins at `at` ends, and its kind. nil at white space.
local function token_at(text, at)
  local stop = select(2, text:find("^[%a_][%w_]*", at))
  if stop then
    return stop, "name"
  end
  stop = select(2, text:find("^0[xX][%x%.]+[%w]*", at)) or select(2, text:find("^%.?%d[%d%.]*[eE]?[+-]?%d*[%a]*", at))
  if stop then
    -- "1-2" is three tokens: a sign belongs to a number only after its exponent
    local plain = select(2, text:find("^%.?%d[%d%.]*%a*", at))
    return text:find("^%.?%d[%d%.]*[eE][+-]", at) and stop or plain or stop, "number"
  end
  local quote = text:match("^[\"']", at)
  if quote then
    local here = at + 1
    while here <= #text and text:sub(here, here) ~= quote and text:sub(here, here) ~= "\n" do
      here = here + (text:sub(here, here) == "\\" and 2 or 1)
    end
    return math.min(here, #text), "string"
  end
  local level, long_stop = long_bracket(text, at)
  if level then
    return long_stop, "string"
  end
  return at, "mark"
end

local function tokens_of(text)
  local tokens, line, line_start, at = {}, 1, 1, 1
  while at <= #text do
    local c = text:sub(at, at)
    local stop = at
    if c == "\n" then
      line, line_start = line + 1, at + 1
    elseif text:find("^%-%-", at) then
      local level, long_stop = long_bracket(text, at + 2)
      stop = level and long_stop or (text:find("\n", at, true) or #text + 1) - 1
    elseif not c:find "%s" then
      local kind
      stop, kind = token_at(text, at)
      tokens[#tokens + 1] = { kind = kind, text = text:sub(at, stop), line = line, column = at - line_start + 1 }
    end
    for newline in text:sub(at, stop):gmatch "()\n" do
      if stop > at then -- inside a long string or comment
        line, line_start = line + 1, at + newline
      end
    end
    at = stop + 1
  end
  return tokens
end

--- @tparam string name  as shown in messages
-- @tparam string text
function M.new(name, text)
  return setmetatable({ name = name, text = text }, M)
end

function M:all_tokens()
  self.tokens = self.tokens or tokens_of(self.text)
  return self.tokens
end

--- @treturn string|nil  the text of a line, from 1
function M:line(number)
  if not self.lines then
    self.lines = {}
    for line in (self.text .. "\n"):gmatch "(.-)\r?\n" do
      self.lines[#self.lines + 1] = line
    end
  end
  return self.lines[number]
end

--- The first token with that text in or after a line.
function M:find(line, text)
  for _, token in ipairs(self:all_tokens()) do
    if token.line >= line and token.text == text then
      return token
    end
  end
end

--- The short literal that is assigned to the name at a token, or nil.
function M:assigned(token)
  for i, candidate in ipairs(self:all_tokens()) do
    local value = candidate == token and self.tokens[i + 2]
    if value and self.tokens[i + 1].text == "=" and (value.kind == "number" or value.kind == "string") and #value.text <= 20 then
      return value.text
    end
  end
end

local open = { ["{"] = true, ["("] = true, ["["] = true, ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }
local close = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }

--- Walks the entries of the table whose '{' is token `at`; returns the index of the wanted key and of its value.
local function entry_of(tokens, at, key)
  local depth, position, fresh = 0, 0, false
  for i = at, #tokens do
    local text = tokens[i].text
    if depth == 1 and fresh and not close[text] then
      position = position + 1
      local named = tokens[i + 1] and tokens[i + 1].text == "=" and text == key
      local quoted = text == "[" and tokens[i + 1].kind == "string" and tokens[i + 1].text:sub(2, -2) == key
      if named then
        return i, i + 2
      elseif quoted then
        return i + 1, i + 4
      elseif position == key then
        return i, i
      end
    end
    fresh = depth == 1 and (text == "," or text == ";")
    if open[text] then
      depth = depth + 1
      fresh = depth == 1
    elseif close[text] then
      depth = depth - 1
      if depth == 0 then
        return nil
      end
    end
  end
end

local function next_brace(tokens, at)
  for i = at, #tokens do
    if tokens[i].text == "{" then
      return i
    elseif tokens[i].text == "," or close[tokens[i].text] then
      return nil
    end
  end
end

--- Where an option of a sentence stands.
-- @tparam number line  of the sentence
-- @tparam table path  keys from the outside in: { "retry", "first" }
-- @tparam boolean of_value  the value's place instead of the key's
-- @treturn table|nil  a token: line, column, text
function M:option(line, path, of_value)
  local tokens, at = self:all_tokens(), nil
  for i, token in ipairs(tokens) do
    if token.line >= line and token.text == "{" then
      at = i
      break
    end
  end
  for depth, key in ipairs(path) do
    local key_at, value_at
    if at then
      key_at, value_at = entry_of(tokens, at, key)
    end
    if not key_at then
      return type(path[#path]) == "string" and self:find(line, path[#path]) or nil
    end
    if depth == #path then
      return tokens[of_value and value_at or key_at]
    end
    at = next_brace(tokens, value_at)
  end
end

return M
