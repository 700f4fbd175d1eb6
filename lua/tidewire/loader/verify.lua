--- verify.*: who may call a route (providers.md, "What the engine always does"). The core does the verifying (core/ingest).
--
-- What a profile may say in its `verify`, or hand to `of_profile`; all optional but what its scheme needs:
--
--   scheme       "hmac" (default); "hash": SHA-256 of a text that holds {secret}; "token": a header equals the secret; "basic";
--                "bearer"; "ed25519"; "ecdsa": P-256 and SHA-256, signature in DER; "rsa": PKCS #1 v1.5 and SHA-256, by a
--                certificate that is fetched from where the request says
--   header       the header that carries signature or token; a list of names: one of these, and no other of them beside it; or
--   field        the place in a JSON body that does: "body.signature.signature" (format "plain" only)
--   algorithm    "sha256", "sha1", "sha512"                  encoding    "hex", "base64"
--   prefix       a value without it refuses
--   format       the header's grammar: "plain", "k=v,", "k=v;", "list"
--   signature    the part of "k=v", or the version in a list, that holds signatures: "v1"
--   public_signature  the version in a list whose values are Ed25519 signatures, for routes with a public key: "v1a"
--   key          how the text of the secret becomes the key: "text", "standard" (whsec_ and base64), "hex", "base64"
--   signed       the template: {body} {timestamp} {id} {method} {path} {host} {url} {form-sorted} {secret} {header:NAME}
--                {query:NAME} {body:path.in.json} {crc32}: that of the body, in decimal; {sns}: the members of an SNS message;
--                "{body}" if not said
--   body_unsigned  true: the sender does not sign its body (Mailgun), so `signed` may lack it
--   timestamp    a part of the header, "headers.x-…" or "body.path"; the last need not stand in a template that has {body}
--   timestamp_format  "unix": 10 to 13 digits, 13 are milliseconds; "unix_ms": these 13; "rfc3339"
--   id           a part of the header, "headers.x-…" or "body.path"
--   max_age      both sides; "5m" wherever a time is signed
--   body_sha256  a query name: a JSON body is signed by its SHA-256 (hex) there instead of by {form-sorted} (Twilio)
--   url_ports    true: {url} is tried as it is, and with its port added or taken off
--   json_only    true: accepted only with a body that is JSON to its last byte
--   certificate  of "rsa": { url = "headers.…" or "body.…", hosts = { … }, path_end, name_end }: the address is one of https
--                on one of these hosts ('*' is the name of an AWS region), its path ends so (".pem"); with name_end
--                (".paypal.com") the
--                common name ends so, and the certificate chains to the system's authorities
--   topics, allow_sha1  of {sns}: a message is of one of these topics, checked before anything is fetched; of version 1 too
--   name         what event.verified says, if it is not the profile's name
--
-- Options of the route come apart from that: secrets, names as check.bare_secret gives them; public_keys, texts that
-- M.public_keys has checked; public_url, a text that M.public_url has checked; max_age in ms; user. A scheme that has to hold
-- beside another one is a second record: `record.also = verify.of_profile(…)`.
-- @module tidewire.loader.verify
local check = require "tidewire.loader.check"
local findings = require "tidewire.loader.findings"
local paths = require "tidewire.paths"

local M = {}

local AGE_MS = 300000
local PARTS_MAX = 16
local PUBLIC_KEYS_MAX = 4

-- ---- the template of what is signed ----

local places = { "{body}", "{timestamp}", "{id}", "{method}", "{path}", "{host}", "{url}", "{form-sorted}", "{header:NAME}",
  "{query:NAME}", "{body:PATH}" }
local simple = { crc32 = true, sns = true,
  body = true, timestamp = true, id = true, method = true, path = true, url = true, ["form-sorted"] = true,
  secret = true }

--- A place in a JSON body: names only, so that there is one such place at most.
local function is_field(path)
  return paths.path_is_valid(path) and not path:find("[", 1, true)
end

local function place_of(self, path, word)
  local name, of = word:match "^(%l+):(.+)$"
  if simple[word] then
    return { kind = word, text = "" }
  elseif word == "host" then
    return { kind = "header", text = "host" }
  elseif name == "header" and of:find "^[%w!#$%%&'*+%-.^_`|~]+$" or name == "query" then
    return { kind = name, text = of }
  elseif name == "body" and is_field(of) then
    return { kind = "field", text = of }
  end
  local hint, suggestion = findings.near("{" .. word .. "}", places)
  self:fault(path, ("signed has no place {%s}"):format(word),
    { hint = hint or "known: " .. table.concat(places, " "), suggestion = suggestion })
end

--- "v0:{timestamp}:{body}" as a list of { kind, text }.
local function parse_template(self, path, template)
  local parts, at = {}, 1
  while at <= #template do
    local open, close = template:find("%b{}", at)
    if template:sub(at, (open or 0) - 1) ~= "" then
      parts[#parts + 1] = { kind = "text", text = template:sub(at, (open or 0) - 1) }
    end
    if not open then break end
    parts[#parts + 1] = place_of(self, path, template:sub(open + 1, close - 1))
    at = close + 1
  end
  if #parts > PARTS_MAX then
    self:fault(path, ("signed has %d parts: at most %d"):format(#parts, PARTS_MAX))
  end
  return parts
end

local function uses(parts, kind, text)
  for _, part in ipairs(parts) do
    if part.kind == kind and (not text or part.text == text) then return true end
  end
  return false
end

local function shown_place(part)
  return part.text == "" and part.kind or (part.kind == "field" and "body" or part.kind) .. ":" .. part.text
end

--- The last two places, if nothing stands between them.
local function last_touching(parts)
  for i = #parts, 2, -1 do
    if parts[i].kind ~= "text" then
      return parts[i - 1].kind ~= "text" and parts[i - 1] or nil, parts[i]
    end
  end
end

local function check_template(self, fields, scheme)
  local parts, path = scheme.signed, { "signed" }
  local covered = uses(parts, "body") or uses(parts, "form-sorted") or uses(parts, "crc32") or uses(parts, "sns")
  if not covered and not fields.body_unsigned then
    self:fault(path, "signed without {body} would prove nothing about what arrived", { hint = "write signed = \"{body}\"" })
  end
  if uses(parts, "secret") ~= (scheme.scheme == "hash") then
    self:fault(path, scheme.scheme == "hash" and "a hash without {secret} in signed proves nothing"
      or "{secret} is not for signed: the secret is the key")
  end
  local before, last = last_touching(parts)
  if before and not self.own_profile then
    self:fault(path, ("the last two places of signed touch: {%s}{%s} can be split in more than one way"):format(
      shown_place(before), shown_place(last)), { warning = true, hint = "put a mark between them if the sender does" })
  end
end

-- ---- where time, id and signature come from ----

--- "headers.x-name", "body.path", or the name of a part of the signature header. On what leaves nothing can be put into the
-- body, and where the header has no parts, a name is that of a header.
local function source_of(self, path, text, format)
  local root, rest = text:match "^(%l+)%.(.+)$"
  local has_parts = format == "k=v," or format == "k=v;"
  if root == "headers" then
    return { header = rest }
  elseif root == "body" and self.signs then
    self:fault(path, ("%s = %q: what signs puts nothing into the body"):format(path[#path], text),
      { hint = ("write %s = \"headers.x-…\""):format(path[#path]) })
    return {}
  elseif root == "body" and is_field(rest) then
    return { field = rest }
  elseif has_parts then
    return { part = text }
  elseif self.signs then
    return { header = self:header_name(path, text) }
  end
  self:fault(path, ("%s = %q names a part of the header, but its format is \"%s\""):format(path[#path], text, format),
    { hint = ("write %s = \"headers.x-…\", or format = \"k=v,\""):format(path[#path]) })
end

local function sources(self, fields, scheme)
  local has_parts = scheme.format == "k=v," or scheme.format == "k=v;"
  local timestamp = fields.timestamp or (has_parts and uses(scheme.signed, "timestamp") and "t") or nil
  if timestamp then
    scheme.timestamp = source_of(self, { "timestamp" }, timestamp, scheme.format)
  end
  if fields.id then
    scheme.id = source_of(self, { "id" }, fields.id, scheme.format)
  end
  for _, name in ipairs { "timestamp", "id" } do
    if uses(scheme.signed, name) and not scheme[name] then
      self:fault({ "signed" }, ("signed has {%s}, but nothing says where it %s"):format(name,
        self.signs and "goes" or "comes from"), { hint = ("add %s = \"headers.x-…\""):format(name) })
    end
  end
end

--- Is the time part of what is signed?
local function time_is_signed(scheme)
  local field = scheme.timestamp and scheme.timestamp.field
  return uses(scheme.signed, "timestamp") or field and (uses(scheme.signed, "body") or uses(scheme.signed, "sns")
    or uses(scheme.signed, "field", field))
end

local function ages(self, fields, scheme)
  if time_is_signed(scheme) then
    scheme.max_age = fields.max_age or AGE_MS
  elseif fields.max_age then
    self:fault({ "max_age" }, "max_age needs a signed time: signed has no {timestamp}", { at_key = true })
  elseif fields.timestamp then
    self:fault({ "timestamp" }, ("timestamp says where {timestamp} %s, but signed has none"):format(
      self.signs and "goes" or "comes from"), { at_key = true })
  end
end

-- ---- the address as the sender has it ----

--- "https://hooks.example.com": path and query of the request are added. With a path of its own it is the whole URL as it was
-- registered: only a query is added, unless it has one too.
function M.public_url(self, path, value)
  local text = self:line_text(path, value)
  if not text then return nil end
  local authority, rest = text:match "^https?://([^/?#%s]+)([^#%s]*)$"
  if not authority or not authority:find "^%[?[%w%.%-:]+%]?:?%d*$" or rest:find "^%?" then
    return self:fault(path, ("%s = %s is not an address as a sender writes it"):format(check.dotted(path), check.shown(text)),
      { hint = "write public_url = \"https://hooks.example.com\", or the whole URL as it is registered" })
  end
  return text
end

local default_ports = { https = "443", http = "80" }

--- The same URL with its port added or taken off.
local function with_other_port(url)
  local name, authority, rest = url:match "^(https?)://([^/?]+)(.*)$"
  local host = authority:match "^(.-[^:]):%d+$"
  if authority:find "^%[" then
    host = authority:match "^(%[[^%]]*%]):%d+$"
  end
  return name .. "://" .. (host or authority .. ":" .. default_ports[name]) .. rest
end

local function urls(self, fields, scheme)
  if not uses(scheme.signed, "url") or self.signs then
    return
  elseif not fields.public_url then
    return self:fault({}, "needs public_url, because the sender signs its URL",
      { hint = "add public_url = \"https://hooks.example.com\", the address as the sender has it" })
  end
  local rest = fields.public_url:match "^https?://[^/?]+(.*)$"
  scheme.url_adds = rest == "" and "path" or rest:find("?", 1, true) and "nothing" or "query"
  scheme.urls = { fields.public_url }
  if fields.url_ports then
    scheme.urls[2] = with_other_port(fields.public_url)
  end
end

-- ---- public keys ----

--- A checker of one or several public keys for that algorithm: "ed25519", "p256" or "rsa".
function M.public_keys(algorithm)
  local item = function(self, path, value)
    local text = self:text(path, value)
    local fits_later = self.load.stood_in[text] -- in tests of rules: core/script/stand_in_keys.h
    if text and not fits_later and not paths.public_key_is_valid(algorithm, text) then
      return self:fault(path, ("%s is not a public key of the kind that signs here"):format(check.dotted(path)),
        { hint = algorithm == "ed25519" and "64 hex digits, \"whpk_…\" or PEM, as the sender shows it"
          or "base64 or PEM (\"-----BEGIN PUBLIC KEY-----\"), as the sender shows it" })
    end
    return text
  end
  return function(self, path, value)
    local keys = check.list(item)(self, path, value)
    if #keys > PUBLIC_KEYS_MAX then
      self:fault(path, ("%s has %d keys: at most %d"):format(check.dotted(path), #keys, PUBLIC_KEYS_MAX))
    end
    return keys
  end
end

-- ---- schemes over a signed text ----

local function template(self, path, value)
  local text = self:text(path, value)
  return text and parse_template(self, path, text)
end

local function prefix(self, path, value)
  return value == "" and "" or self:line_text(path, value)
end

--- "body.signature.value" without its root.
local function body_field(self, path, value)
  local text = self:line_text(path, value)
  local field = text and text:match "^body%.(.+)$"
  if text and not (field and is_field(field)) then
    return self:fault(path, ("%s = %q is no place in a JSON body"):format(check.dotted(path), text),
      { hint = "write \"body.some.name\"" })
  end
  return field
end

local certificate_fields = {
  url = check.line_text, hosts = check.list(check.line_text), path_end = check.line_text, name_end = check.line_text,
}

--- Where a sender's certificate is, for the core.
local function certificate(self, path, value)
  local fields = self:fields(path, type(value) == "table" and value or {}, certificate_fields)
  if not fields.url or not fields.hosts then
    return self:wants(path, value, "{ url = …, hosts = { … } }",
      "{ url = \"headers.x-cert-url\", hosts = { \"api.example.com\" } }")
  end
  return { url = source_of(self, check.extend(path, "url"), fields.url, "plain"), hosts = fields.hosts,
    path_end = fields.path_end or "", name_end = fields.name_end or "" }
end

local formats = { "plain", "k=v,", "k=v;", "list" }

--- What verify.hmac and sign.hmac take.
local signature_fields = {
  header = check.header_name,
  secret = check.bare_secret,
  algorithm = check.choice { "sha256", "sha1", "sha512" },
  encoding = check.choice { "hex", "base64" },
  prefix = prefix,
  signed = template,
  format = check.choice(formats),
  signature = check.line_text,
  timestamp = check.line_text,
  id = check.line_text,
}

--- What only verify.hmac takes.
local hmac_fields = check.with_defaults({ max_age = check.duration("1s", "30d"), public_url = M.public_url }, signature_fields)

--- What only a profile says.
local profile_fields = check.with_defaults({
  header = check.list(check.header_name),
  scheme = check.choice { "hmac", "hash", "token", "basic", "bearer", "ed25519", "ecdsa", "rsa" },
  field = body_field,
  public_signature = check.line_text,
  key = check.choice { "text", "standard", "hex", "base64" },
  body_unsigned = check.boolean,
  timestamp_format = check.choice { "unix", "rfc3339", "unix_ms" },
  body_sha256 = check.line_text,
  url_ports = check.boolean,
  json_only = check.boolean,
  certificate = certificate,
  topics = check.list(check.line_text),
  allow_sha1 = check.boolean,
  name = check.line_text,
}, hmac_fields)

local key_forms = {
  standard = "\"whsec_\" and base64, as Standard Webhooks writes it", hex = "hex digits", base64 = "base64",
}

--- A secret that is set and gives no key would refuse everything; with a public key for one anybody could sign.
local function check_secrets(self, scheme)
  local form = key_forms[scheme.key]
  for _, name in ipairs(self.load.mode == "check" and scheme.secrets or {}) do
    if not self.load.host.secret_fits(name, scheme.key or "text") then
      self:fault({}, form and ("the secret %q has not the form that %s secrets have"):format(name,
        self.signs and "these" or "this sender's") or ("the secret %q is a public key, which anybody knows"):format(name),
        { hint = form and "it is " .. form or ("set it to the text that only the %s and you have"):format(
          self.signs and "receiver" or "sender") })
    end
  end
end

--- The record of a scheme that signs a text.
local function signed_record(self, fields)
  local scheme = {
    scheme = fields.scheme or "hmac", name = fields.name or "hmac", header = fields.header,
    other_headers = fields.other_headers, secrets = fields.secret or {},
    public_keys = fields.public_keys or {}, public_signature = fields.public_keys and fields.public_signature or nil,
    algorithm = fields.algorithm or "sha256", encoding = fields.encoding or "hex", prefix = fields.prefix or "",
    format = fields.format or "plain", signature = fields.signature or "v1", key = fields.key or "text",
    signed = fields.signed or { { kind = "body", text = "" } }, max_age = 0,
    timestamp_format = fields.timestamp_format or "unix", body_sha256 = fields.body_sha256,
    json_only = fields.json_only or false, url_adds = "nothing", urls = {},
    field = fields.field, certificate = fields.certificate, topics = fields.topics, allow_sha1 = fields.allow_sha1 or false,
  }
  if (scheme.scheme == "rsa") ~= (scheme.certificate ~= nil) then
    self:fault({}, "scheme = \"rsa\" and certificate need each other")
  end
  check_template(self, fields, scheme)
  sources(self, fields, scheme)
  ages(self, fields, scheme)
  urls(self, fields, scheme)
  check_secrets(self, scheme)
  return scheme
end

--- Of verify.hmac; and of sign.hmac, whose checker says `signs`.
function M.hmac(self, given)
  local fields = self:fields({}, given, self.signs and signature_fields or hmac_fields)
  for _, name in ipairs { "header", "secret" } do
    if self:lacks(given, name) then
      self:fault({}, ("needs %s"):format(name), { hint = name == "header" and "add header = \"X-Signature\""
        or "add secret = secret \"NAME\"" })
    end
  end
  fields.header = fields.header or "x-signature"
  return signed_record(self, fields)
end

-- ---- schemes that sign nothing ----

local function plain_record(scheme, name, secrets)
  return { scheme = scheme, name = name, secrets = secrets or {} }
end

function M.bearer(self, secret)
  return plain_record("bearer", "bearer", self:bare_secret({}, secret))
end

local function user_name(self, path, value)
  local text = self:line_text(path, value)
  if text and text:find(":", 1, true) then
    return self:fault(path, "user has a ':' in it, which ends a user's name (RFC 7617)")
  end
  return text
end

function M.basic(self, given)
  local fields = self:fields({}, given, { user = user_name, password = check.bare_secret })
  for _, name in ipairs { "user", "password" } do
    if self:lacks(given, name) then
      self:fault({}, "needs " .. name, { hint = "write verify.basic { user = \"…\", password = secret \"NAME\" }" })
    end
  end
  local record = plain_record("basic", "basic", fields.password)
  record.user = fields.user or ""
  return record
end

function M.none(self, why)
  if type(why) ~= "string" or not why:find "%S" then
    self:fault({}, "needs a reason", { hint = "write verify.none \"only reachable inside the office network\"" })
  end
  return plain_record("none", "none")
end

-- ---- verify.jwt ----

local by_secret = "HS256"
local key_kinds = { RS256 = "rsa", ES256 = "p256", EdDSA = "ed25519" }

local function https_url(self, path, value)
  local text = self:line_text(path, value)
  if text and not text:find "^https://[%w%.%-]+:?%d*/?[^#%s]*$" then
    return self:fault(path, ("%s = %s is no https address"):format(check.dotted(path), check.shown(text)),
      { hint = "write jwks = \"https://id.example.com/.well-known/jwks.json\"" })
  end
  return text
end

local jwt_fields = {
  algorithm = check.choice { by_secret, "RS256", "ES256", "EdDSA" },
  key = function(_, _, value) return value end, -- what it has to be depends on the algorithm
  issuer = check.line_text,
  audience = check.list(check.line_text),
  jwks = https_url,
}

function M.jwt(self, given)
  local fields = self:fields({}, given, jwt_fields)
  local record = plain_record("jwt", "jwt")
  record.algorithm, record.issuer, record.audiences = fields.algorithm, fields.issuer, fields.audience
  if self:lacks(given, "algorithm") then
    self:fault({}, "needs algorithm", { hint = "add algorithm = \"RS256\": the token's own word for it is not believed" })
  end
  if self:lacks(given, "key") and self:lacks(given, "jwks") then
    self:fault({}, "needs key or jwks", { hint = "add key = secret \"NAME\" for HS256, else the sender's public key in PEM, or "
      .. "jwks = \"https://…\"" })
  elseif given.key ~= nil and given.jwks ~= nil then
    self:fault({ "jwks" }, "key and jwks are two sources of the same keys", { at_key = true, hint = "keep one of them" })
  elseif given.jwks ~= nil and fields.algorithm == by_secret then
    self:fault({ "jwks" }, "HS256 has a secret, and no key set holds it", { hint = "write key = secret \"NAME\"" })
  elseif given.jwks ~= nil then
    record.jwks = fields.jwks
  elseif fields.key ~= nil and fields.algorithm == by_secret then
    record.secrets = self:bare_secret({ "key" }, fields.key) or {}
    check_secrets(self, record)
  elseif fields.key ~= nil and fields.algorithm then
    record.public_keys = M.public_keys(key_kinds[fields.algorithm])(self, { "key" }, fields.key)
  end
  return record
end

-- ---- profiles ----

local plain_schemes = { token = true, basic = true, bearer = true }

--- A profile's scheme with the options of a route, as a record for the core.
-- @tparam table self  the checker of the provider's word; self.own_profile: it is one of ours
-- @tparam table given  the profile's `verify`, see above
-- @tparam table options  { secrets, public_keys, public_url, max_age, user }
function M.of_profile(self, given, options)
  local fields = self:fields({}, given, profile_fields)
  fields.secret, fields.public_keys, fields.public_url = options.secrets, options.public_keys, options.public_url
  fields.max_age = options.max_age or fields.max_age
  fields.other_headers = fields.header
  fields.header = fields.header and table.remove(fields.other_headers, 1)
  if not fields.header and not fields.field and fields.scheme ~= "basic" and fields.scheme ~= "bearer" then
    self:fault({}, "needs header or field: where the signature is")
  end
  if not plain_schemes[fields.scheme] then
    return signed_record(self, fields)
  end
  local record = plain_record(fields.scheme, fields.name or fields.scheme, options.secrets)
  record.header, record.other_headers, record.user = fields.header, fields.other_headers, options.user
  return record
end

--- The scheme of Standard Webhooks, as a profile has it.
M.standard_scheme = {
  header = "webhook-signature", format = "list", signature = "v1", public_signature = "v1a", encoding = "base64",
  signed = "{id}.{timestamp}.{body}", timestamp = "headers.webhook-timestamp", id = "headers.webhook-id", key = "standard",
  name = "standard",
}

function M.standard(self, given)
  local options = self:fields({}, given, { secret = check.bare_secret, public_key = M.public_keys "ed25519" })
  if self:lacks(given, "secret") and self:lacks(given, "public_key") then
    self:fault({}, "needs secret", { hint = "add secret = secret \"NAME\", or public_key = \"whpk_…\"" })
  end
  return M.of_profile(self, M.standard_scheme, { secrets = options.secret, public_keys = options.public_key })
end

M.later = { mtls = true }
return M
