--- verify.*: who may call a route (providers.md, "What the engine always does"). The core does the verifying (core/ingest).
-- @module tidewire.loader.verify
local check = require "tidewire.loader.check"
local findings = require "tidewire.loader.findings"

local M = {}

local AGE_MS = 300000

-- ---- the template of what is signed ----

local places = { "{body}", "{timestamp}", "{id}", "{method}", "{path}", "{header:NAME}" }
local variable = { body = true, timestamp = true, id = true, method = true, path = true }

local function place_of(self, path, word)
  if variable[word] then
    return { kind = word, text = "" }
  end
  local header = word:match "^header:([%w!#$%%&'*+%-.^_`|~]+)$"
  if header then
    return { kind = "header", text = header }
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
  return parts
end

local function uses(parts, kind)
  for _, part in ipairs(parts) do
    if part.kind == kind then return true end
  end
  return false
end

local function check_template(self, path, parts)
  if not uses(parts, "body") then
    self:fault(path, "signed without {body} would prove nothing about what arrived", { hint = "write signed = \"{body}\"" })
  end
  local last, before = parts[#parts], parts[#parts - 1]
  if before and last.kind ~= "text" and before.kind ~= "text" and not self.own_profile then
    self:fault(path, ("the last two places of signed touch: {%s}{%s} can be split in more than one way"):format(before.kind,
      last.kind), { warning = true, hint = "put a mark between them if the sender does" })
  end
end

-- ---- verify.hmac ----

local formats = { "plain", "k=v,", "k=v;", "list" }

local hmac_fields = {
  header = check.header_name,
  secret = check.bare_secret,
  algorithm = check.choice { "sha256", "sha1", "sha512" },
  encoding = check.choice { "hex", "base64" },
  prefix = function(self, path, value) return value == "" and "" or self:line_text(path, value) end,
  signed = function(self, path, value)
    local template = self:text(path, value)
    return template and parse_template(self, path, template)
  end,
  format = check.choice(formats),
  signature = check.line_text,
  timestamp = check.line_text,
  id = check.line_text,
  max_age = check.duration("1s", "30d"),
}

--- "headers.x-name" or the name of a part of the signature header.
local function source_of(self, path, text, format)
  local header = text:match "^headers%.(.+)$"
  if header then
    return { header = header }
  elseif format == "k=v," or format == "k=v;" then
    return { part = text }
  end
  self:fault(path, ("%s = %q names a part of the header, but its format is \"%s\""):format(path[#path], text, format),
    { hint = ("write %s = \"headers.x-…\", or format = \"k=v,\""):format(path[#path]) })
end

local function sources(self, given, scheme)
  local has_parts = scheme.format == "k=v," or scheme.format == "k=v;"
  local timestamp = given.timestamp or (has_parts and uses(scheme.signed, "timestamp") and "t") or nil
  if timestamp then
    scheme.timestamp = source_of(self, { "timestamp" }, timestamp, scheme.format)
  end
  if given.id then
    scheme.id = source_of(self, { "id" }, given.id, scheme.format)
  end
  for _, name in ipairs { "timestamp", "id" } do
    if uses(scheme.signed, name) and not scheme[name] then
      self:fault({ "signed" }, ("signed has {%s}, but nothing says where it comes from"):format(name),
        { hint = ("add %s = \"headers.x-…\""):format(name) })
    end
  end
end

local function ages(self, given, scheme)
  if uses(scheme.signed, "timestamp") then
    scheme.max_age = given.max_age or AGE_MS
  elseif given.max_age then
    self:fault({ "max_age" }, "max_age needs a signed time: signed has no {timestamp}", { at_key = true })
  end
end

function M.hmac(self, given)
  local fields = self:fields({}, given, hmac_fields)
  for _, name in ipairs { "header", "secret" } do
    if given[name] == nil then
      self:fault({}, ("needs %s"):format(name), { hint = name == "header" and "add header = \"X-Signature\""
        or "add secret = secret \"NAME\"" })
    end
  end
  local scheme = {
    scheme = "hmac", name = "hmac", header = fields.header or "x-signature", secrets = fields.secret or {},
    algorithm = fields.algorithm or "sha256", encoding = fields.encoding or "hex", prefix = fields.prefix or "",
    format = fields.format or "plain", signature = fields.signature or "v1", key = self.key or "text",
    signed = fields.signed or { { kind = "body", text = "" } }, max_age = 0,
  }
  check_template(self, { "signed" }, scheme.signed)
  sources(self, fields, scheme)
  ages(self, fields, scheme)
  return scheme
end

-- ---- the others ----

function M.bearer(self, secret)
  return { scheme = "bearer", name = "bearer", secrets = self:bare_secret({}, secret) or {} }
end

function M.none(self, why)
  if type(why) ~= "string" or not why:find "%S" then
    self:fault({}, "needs a reason", { hint = "write verify.none \"only reachable inside the office network\"" })
  end
  return { scheme = "none", name = "none", secrets = {} }
end

M.later = { standard = true, basic = true, jwt = true, mtls = true }
return M
