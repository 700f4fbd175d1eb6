--- A sample as a whole request: changed as asked for, and signed.
-- @module tidewire.cli.signed
local signing = require "tidewire.cli.signing"
local url = require "tidewire.url"
local views = require "tidewire.views"

local M = {}

local FORM = "application/x-www-form-urlencoded"

-- ---- changes of the body ----

local function typed(text)
  if text == "true" or text == "false" then
    return text == "true"
  elseif text == "null" then
    return views.null
  end
  return tonumber(text) or text
end

local function set_json(body, path, value)
  return views.json.encode(views.words.set(views.json.decode(body), path, value))
end

--- name=value of a form, in its place or at the end.
local function set_form(body, name, value)
  local part, done = url.escape(name) .. "=" .. url.escape(value), false
  local parts = {}
  for one in body:gmatch "[^&]+" do
    local is_it = one:match "^[^=]*" == url.escape(name)
    parts[#parts + 1] = is_it and part or one
    done = done or is_it
  end
  parts[#parts + 1] = not done and part or nil
  return table.concat(parts, "&")
end

--- @tparam table request  as samples.fresh gives it
-- @tparam {string,...} lines  "body.some.path=value"
-- @treturn boolean|nil  or nil and why
function M.change(request, lines)
  for _, line in ipairs(lines) do
    local path, value = line:match "^body%.([^=]+)=(.*)$"
    if not path then
      return nil, ("--set %s: write --set body.some.path=value"):format(line)
    end
    if request.content_type == FORM then
      request.body = set_form(request.body, path, value)
    else
      request.body = set_json(request.body, path, typed(value))
    end
  end
  return true
end

-- ---- the signature ----

local function header_of(headers, name)
  for i, header in ipairs(headers) do
    if header[1]:lower() == name:lower() then
      return i
    end
  end
end

--- More headers of a request: each in place of one of its name.
-- @tparam {string,...} lines  "Name: value"
function M.add_headers(request, lines)
  for _, line in ipairs(lines) do
    local name, value = line:match "^([^:]+):%s*(.-)%s*$"
    local header = { name or line, value or "" }
    request.headers[header_of(request.headers, header[1]) or #request.headers + 1] = header
  end
end

--- Signs a request in place: its headers, query and body are then as the sender would send them.
-- @tparam table route  of native.check
-- @tparam table request  as samples.fresh gives it
-- @tparam table options  { path, private_key = PEM text, bad = a signature that is refused }
-- @treturn boolean|nil  or nil and why
function M.sign(route, request, options)
  local content_type = request.headers[header_of(request.headers, "content-type")][2]
  local made, why = signing.request(route, request.body, { path = options.path, headers = request.headers,
    content_type = content_type, private_key = options.private_key, bad = options.bad })
  if not made then
    return nil, why
  end
  local signed = {}
  for i, line in ipairs(made.headers) do
    signed[i] = { line:match "^(.-): (.*)$" }
  end
  for _, header in ipairs(request.headers) do
    if not header_of(signed, header[1]) then
      signed[#signed + 1] = header
    end
  end
  request.body, request.query, request.headers = made.body, made.query, signed
  return true
end

return M
