--- sign.*: what a target signs with, as the record of the scheme that verifies it (loader/verify.lua), so that both
-- sides mean the same by the same options. The core does the signing (core/deliver/sign.h).
-- @module tidewire.loader.sign
local check = require "tidewire.loader.check"
local verify = require "tidewire.loader.verify"
local views = require "tidewire.views"

local M = {}

--- What libcurl or the message makes.
local not_ours = { host = true, ["content-length"] = true, ["transfer-encoding"] = true, connection = true,
  ["content-type"] = true, ["content-encoding"] = true }

local function check_headers(self, record)
  for name, header in pairs { header = record.header, timestamp = record.timestamp and record.timestamp.header,
    id = record.id and record.id.header } do
    if not_ours[header:lower()] then
      self:fault({ name }, ("%s = %q: that header is made by tidewire itself"):format(name, header))
    elseif not header:find "^[%w!#$%%&'*+%-.^_`|~]+$" then
      self:fault({ name }, ("'%s' is not a header name"):format(header))
    end
  end
end

function M.standard(self, given)
  self.signs = true
  local fields = self:fields({}, given, { secret = check.bare_secret })
  if self:lacks(given, "secret") then
    self:fault({}, "needs secret", { hint = "add secret = secret \"NAME\"" })
  end
  return verify.of_profile(self, verify.standard_scheme, { secrets = fields.secret })
end

function M.hmac(self, given)
  self.signs = true
  local record = verify.hmac(self, given)
  check_headers(self, record)
  return record
end

-- ---- sign.jwt ----

local shared = "HS256"
local algorithms = { shared, "RS256", "ES256", "EdDSA" }
local key_names = { RS256 = "an RSA key of 2048 to 4096 bits", ES256 = "a key on the curve P-256", EdDSA = "an Ed25519 key" }
local CLAIMS_MAX = 4096

--- Claims that an option says, or that are made at each attempt.
local said_by = { iss = "write issuer", aud = "write audience", sub = "write subject", exp = "write ttl",
  iat = "it is the time of the attempt", jti = "it is made for each attempt" }

local function claims_of(self, path, value)
  if type(value) ~= "table" then
    return self:wants(path, value, "a table", "claims = { role = \"router\" }")
  end
  for name in pairs(value) do
    if type(name) ~= "string" then
      return self:wants(path, value, "a table of names and values", "claims = { role = \"router\" }")
    elseif said_by[name] then
      self:fault(check.extend(path, name), ("claims.%s is not for claims: %s"):format(name, said_by[name]))
    end
  end
  local ok, text = pcall(views.json.encode, value)
  if not ok then
    return self:fault(path, "claims are JSON: " .. tostring(text):gsub("^.-:%d+: ", ""))
  elseif #text > CLAIMS_MAX then
    return self:fault(path, ("claims have %d bytes of JSON: at most %d"):format(#text, CLAIMS_MAX))
  end
  return value
end

local function claim_name(self, path, value)
  local name = self:line_text(path, value)
  if name and said_by[name] then
    return self:fault(path, ("body_hash = %q is not free: %s"):format(name, said_by[name]))
  end
  return name
end

local function prefix(self, path, value)
  return value == "" and "" or self:line_text(path, value)
end

local jwt_fields = {
  secret = check.bare_secret,
  key = check.bare_secret,
  algorithm = check.choice(algorithms),
  key_id = check.line_text,
  header = check.header_name,
  prefix = prefix,
  issuer = check.line_text,
  audience = check.list(check.line_text),
  subject = check.line_text,
  ttl = check.duration("1s", "1d"),
  claims = claims_of,
  body_hash = claim_name,
}

--- The secret's names, for an algorithm that goes with them.
local function secrets_of(self, given, fields)
  local algorithm = given.algorithm
  if given.secret ~= nil and given.key ~= nil then
    self:fault({ "key" }, "secret and key are two keys for one signature", { at_key = true, hint = "keep one of them" })
  elseif self:lacks(given, "secret") and self:lacks(given, "key") then
    self:fault({}, "needs secret or key", { hint = "add secret = secret \"NAME\" for HS256, or key = secret \"NAME\", "
      .. "a private key in PEM, and its algorithm" })
  elseif given.key ~= nil and self:lacks(given, "algorithm") then
    self:fault({}, "needs algorithm", { hint = "add algorithm = \"RS256\", \"ES256\" or \"EdDSA\", as the key is" })
  elseif given.secret ~= nil and fields.algorithm and algorithm ~= shared then
    self:fault({ "algorithm" }, algorithm .. " signs with a private key",
      { hint = "write key = secret \"NAME\", a private key in PEM" })
  elseif given.key ~= nil and algorithm == shared then
    self:fault({ "algorithm" }, "HS256 signs with a secret that both sides have", { hint = "write secret = secret \"NAME\"" })
  elseif fields.algorithm or algorithm == nil then
    return fields.secret or fields.key or {}
  end
  return {}
end

local function check_keys(self, record)
  for _, name in ipairs(self.load.mode == "check" and record.secrets or {}) do
    if not self.load.host.secret_fits(name, record.algorithm) then
      local wanted = key_names[record.algorithm]
      self:fault({}, wanted and ("the secret %q is no private key for %s"):format(name, record.algorithm)
        or ("the secret %q is one of a pair of keys, and HS256 signs with a text that both sides have"):format(name),
        { hint = wanted and ("it is %s, in PEM (\"-----BEGIN PRIVATE KEY-----\") and without a password"):format(wanted)
          or "write key = secret \"NAME\", and its algorithm" })
    end
  end
end

--- `,"iss":"…"` and so on: the claims that stay the same.
local function same_claims(fields)
  local claims = {}
  for name, value in pairs(fields.claims or {}) do claims[name] = value end
  local audience = fields.audience
  claims.iss, claims.sub, claims.aud = fields.issuer, fields.subject, audience and (audience[2] and audience or audience[1])
  return next(claims) ~= nil and "," .. views.json.encode(claims):sub(2, -2) or ""
end

function M.jwt(self, given)
  self.signs = true
  local fields = self:fields({}, given, jwt_fields)
  local algorithm, header = fields.algorithm or shared, fields.header or "authorization"
  if fields.body_hash and fields.claims and fields.claims[fields.body_hash] ~= nil then
    self:fault({ "body_hash" }, ("body_hash = %q is the name of one of the claims"):format(fields.body_hash))
  end
  local record = {
    scheme = "jwt", name = "jwt", header = header, secrets = secrets_of(self, given, fields), algorithm = algorithm,
    prefix = fields.prefix or header:lower() == "authorization" and "Bearer " or "",
    token_header = views.json.encode { alg = algorithm, typ = "JWT", kid = fields.key_id },
    token_claims = same_claims(fields), body_hash = fields.body_hash, ttl = fields.ttl or 300000,
  }
  check_headers(self, record)
  check_keys(self, record)
  return record
end

return M
