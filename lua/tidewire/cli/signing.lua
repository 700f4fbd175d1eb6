--- Makes a request of `tidewire send` what the sender of a route would have sent now. The bytes that are signed are the core's
-- (core/cli/sample.h); here is what a scheme wants of body and query.
-- @module tidewire.cli.signing
local crypto = require "tidewire.crypto"
local native = require "tidewire.native"
local views = require "tidewire.views"

local M = {}

local MILLISECONDS_FROM = 1e11

--- Now, in the form of the value that stands there.
local function now_like(value)
  local number = views.words.tonumber(value) or 0
  local now = ("%d%s"):format(os.time(), number >= MILLISECONDS_FROM and "000" or "")
  return type(value) == "string" and now or tonumber(now)
end

local function set(body, path, value)
  return views.json.encode(views.words.set(views.json.decode(body), path, value))
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

--- The first secret of a scheme, from the environment.
local function secret_of(verify, path)
  local name = verify.secrets[1]
  local secret = name and os.getenv(name)
  if name and (not secret or secret == "") then
    return nil, ("the secret %s of %s is not set here: export %s=… as the router has it"):format(name, path, name)
  end
  return secret
end

local function keys_of(route, more)
  local verify = route.verify
  if verify.by_key then
    if not more.private_key then
      return nil, ("the sender of %s signs with a key of its own: give a private key with --key FILE"):format(route.path)
    end
    return { secret = more.private_key }
  end
  local secret, why = secret_of(verify, route.path)
  local also
  if secret and verify.also then
    also, why = secret_of(verify.also, route.path)
  end
  if why then
    return nil, why
  end
  return { secret = secret or "", also = also }
end

--- @tparam table route  of native.check
-- @tparam string body
-- @tparam table more  { path, headers = { { name, value } … }, content_type, private_key = PEM text, bad = a signature that is
-- refused }
-- @treturn table  { headers = lines, body, query }, or nil and why
function M.request(route, body, more)
  local verify = route.verify
  local request = { headers = {}, body = body, query = "" }
  if verify.scheme == "none" then
    return request
  end
  local keys, why = keys_of(route, more)
  if not keys then
    return nil, why
  end
  if verify.timestamp_field then
    local body_view = views.json.decode(body)
    request.body = set(body, verify.timestamp_field, now_like(views.words.get(body_view, verify.timestamp_field)))
  end
  if verify.body_sha256 and more.content_type:find "^application/json" then
    request.query = ("%s=%s"):format(verify.body_sha256, crypto.hash("sha256", request.body))
  end
  if more.bad and not verify.by_key then
    keys.secret = wrong_secret(keys.secret, verify.key)
  end
  local lines, field = native.sign(route.index, keys.secret, more.bad and verify.by_key and request.body .. " " or request.body,
    { also = keys.also, path = more.path, query = request.query, headers = more.headers })
  if not lines then
    return nil, field
  end
  request.headers = lines
  if field then
    request.body = set(request.body, verify.signature_field, field)
  end
  return request
end

return M
