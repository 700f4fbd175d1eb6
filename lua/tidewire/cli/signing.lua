--- Makes a request of `tidewire send` what the sender of a route would have sent now. The bytes that are signed are the core's
-- (core/cli/sample.h); here is what a scheme wants of body and query.
-- @module tidewire.cli.signing
local crypto = require "tidewire.crypto"
local native = require "tidewire.native"
local views = require "tidewire.views"

local M = {}

local MILLISECONDS_FROM = 1e11

--- Now (seconds), in the form of the value that stands there.
local function now_like(value, seconds)
  if type(value) == "string" and value:find "^%d+%-" then
    return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
  end
  local number = views.words.tonumber(value) or 0
  local now = ("%d%s"):format(seconds, number >= MILLISECONDS_FROM and "000" or "")
  return type(value) == "string" and now or tonumber(now)
end

local function set(body, path, value)
  return views.json.encode(views.words.set(views.json.decode(body), path, value))
end

local forms = { standard = "^whsec_[%w+/]+=*$", hex = "^%x+$", base64 = "^[%w+/]+=*$" }

--- Has a secret the form that the scheme wants?
local function fits(secret, form)
  return not forms[form] or (secret:find(forms[form]) ~= nil and (form ~= "hex" or #secret % 2 == 0))
end

--- A well-formed secret that is not the right one.
local function wrong_secret(secret, form)
  if form == "standard" then
    return "whsec_" .. native.base64(("wrong"):rep(6))
  elseif form == "hex" then
    return ("5a"):rep(32)
  elseif form == "base64" then
    return native.base64(("wrong"):rep(6))
  end
  return secret .. "-wrong"
end

--- The first secret of a scheme.
local function secret_of(verify, path, value_of)
  local name = verify.secrets[1]
  local secret = name and value_of(name)
  if name and (not secret or secret == "") then
    return nil, ("the secret %s of %s is not set here: export %s=… as the router has it"):format(name, path, name)
  end
  return secret
end

local function keys_of(route, more)
  local verify = route.verify
  if verify.by_key then
    if not more.private_key and verify.scheme == "rsa" then
      return nil, ("only the sender of %s can sign: its certificate is fetched from its own host"):format(route.path)
    elseif not more.private_key then
      return nil, ("the sender of %s signs with a key of its own: give a private key with --key FILE"):format(route.path)
    end
    return { secret = more.private_key }
  end
  local value_of = more.value_of or os.getenv
  local secret, why = secret_of(verify, route.path, value_of)
  local also
  if secret and verify.also then
    also, why = secret_of(verify.also, route.path, value_of)
  end
  if why then
    return nil, why
  end
  return { secret = secret or "", also = also }
end

--- A signature that begins with another byte.
local function altered(signature)
  return (signature:sub(1, 1) == "A" and "B" or "A") .. signature:sub(2)
end

--- A token whose signature is altered.
local function spoil(lines)
  for i, line in ipairs(lines) do
    lines[i] = line:gsub("%.([%w_-]+)$", function(signature) return "." .. altered(signature) end)
  end
  return lines
end

--- @tparam table route  of native.check
-- @tparam string body
-- @tparam table more  { path, headers = { { name, value } … }, content_type, private_key = PEM text, bad = a signature that is
-- refused, with `secret` where that has the form of one; value_of(name): of a secret, else the environment; now: seconds, else
-- the clock; query }
-- @treturn table  { headers = lines, body, query }, or nil and why
function M.request(route, body, more)
  local verify = route.verify
  local request = { headers = {}, body = body, query = more.query or "" }
  if verify.scheme == "none" then
    return request
  end
  local keys, why = keys_of(route, more)
  if not keys then
    return nil, why
  end
  if verify.timestamp_field then
    local body_view = views.json.decode(body)
    request.body = set(body, verify.timestamp_field, now_like(views.words.get(body_view, verify.timestamp_field),
      more.now or os.time()))
  end
  if verify.body_sha256 and more.content_type:find "^application/json" then
    request.query = ("%s%s%s=%s"):format(request.query, request.query ~= "" and "&" or "", verify.body_sha256,
      crypto.hash("sha256", request.body))
  end
  if more.bad and not verify.by_key then
    keys.secret = more.secret and fits(more.secret, verify.key) and more.secret or wrong_secret(keys.secret, verify.key)
  end
  local lines, field = native.sign(route.index, keys.secret, more.bad and verify.by_key and request.body .. " " or request.body,
    { also = keys.also, path = more.path, query = request.query, headers = more.headers })
  if not lines then
    return nil, field
  end
  if more.bad and verify.scheme == "jwt" then -- its signature does not cover the body
    lines = spoil(lines)
  end
  request.headers = lines
  if field then -- which may cover members of the body alone, and no byte between them
    request.body = set(request.body, verify.signature_field, more.bad and verify.by_key and altered(field) or field)
  end
  return request
end

return M
