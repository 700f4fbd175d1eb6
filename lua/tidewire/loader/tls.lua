--- The option `tls` of a target: whom it trusts, and what is shown to it. Files are of the rules folder; they are looked at in
-- the check only, whose record holds their text: a worker reads no files.
-- @module tidewire.loader.tls
local check = require "tidewire.loader.check"
local findings = require "tidewire.loader.findings"
local paths = require "tidewire.paths"
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"

local M = {}

local PINS_MAX = 8
local NEAR_DAYS = 7

local type_of = views.words.type

-- ---- files ----

--- @treturn boolean  by its name: a file that may hold certificates or a key
function M.is_pem(name)
  local ending = name:match "%.(%a+)$"
  return ending == "pem" or ending == "crt" or ending == "cer" or ending == "key"
end

local function is_inside(path)
  return M.is_pem(path) and not path:find "^/" and not ("/" .. path .. "/"):find("/../", 1, true)
end

local function file_text(self, path, value)
  local name = self:line_text(path, value)
  if not name then
    return nil
  elseif not is_inside(name) then
    return self:fault(path, ("%s = %s is no file of the rules folder"):format(check.dotted(path), check.shown(name)),
      { hint = "write a path below it that ends with .pem, .crt, .cer or .key; a symlink there may lead elsewhere" })
  end
  local text, why = self.load.host.pem(name)
  if not text then
    local hint, suggestion = findings.near(name, suggest.names_of(self.load.pem_files))
    return self:fault(path, ("%s: %s cannot be read: %s"):format(check.dotted(path), check.shown(name), why),
      { hint = hint, suggestion = suggestion })
  end
  return text
end

--- Text and what is known of the certificates in it.
local function certificates_of(self, path, value)
  local text = file_text(self, path, value)
  local found, why
  if text then
    found, why = paths.certificates(text)
  end
  if why then
    return self:fault(path, ("%s: %s: %s"):format(check.dotted(path), check.shown(value), why))
  end
  return text, found
end

-- ---- options ----

-- What time alone has made wrong is a warning: its target fails, while a start that fails would stop all routes.

local function ca_of(self, path, value)
  local text, found = certificates_of(self, path, value)
  if found and found.last_left <= 0 then
    self:fault(path, ("%s: all certificates of %s have expired"):format(check.dotted(path), check.shown(value)),
      { warning = true })
  end
  return text
end

local function cert_of(self, path, value)
  local text, found = certificates_of(self, path, value)
  if found and found.first_left <= 0 then
    self:fault(path, ("%s: %s has expired on %s"):format(check.dotted(path), check.shown(value), found.first_ends),
      { warning = true })
  elseif found and found.first_left < NEAR_DAYS * 86400 then
    self:fault(path, ("%s: %s expires on %s"):format(check.dotted(path), check.shown(value), found.first_ends),
      { warning = true })
  end
  return text
end

local function key_of(self, path, value)
  if type_of(value) == "secret" then
    local names = self:bare_secret(path, value)
    return names and { secret = names[1] }
  elseif type(value) ~= "string" then
    return self:wants(path, value, "a secret or a file", "key = secret \"CLIENT_KEY\"")
  elseif value:find("-----BEGIN", 1, true) then
    return self:fault(path, check.dotted(path) .. " is the key itself",
      { hint = "write secret \"NAME\": the value comes from the environment, never from the file" })
  end
  local text = file_text(self, path, value)
  return text and { text = text }
end

--- The base64 of 32 bytes; behind "sha256/", or "sha256//" as curl writes it, and it may begin with a slash itself.
local function hash_of(text)
  for _, form in ipairs { "^sha256/(.*)$", "^sha256//(.*)$" } do
    local hash = text:match(form)
    if hash and #hash == 44 and hash:find "^[%w+/]+=$" then
      return hash
    end
  end
end

local function pin_of(self, path, value)
  local text = self:line_text(path, value)
  local hash = text and hash_of(text)
  if text and not hash then
    return self:fault(path, ("%s = %s is no pin"):format(check.dotted(path), check.shown(value)),
      { hint = "write \"sha256/…\" with the SHA-256 of the public key in base64: 44 characters" })
  end
  return hash and "sha256//" .. hash
end

local function pins_of(self, path, value)
  local pins = check.list(pin_of)(self, path, value)
  if #pins > PINS_MAX then
    self:fault(path, ("%s has more than %d entries"):format(check.dotted(path), PINS_MAX))
  end
  return table.concat(pins, ";")
end

local known = { ca = ca_of, cert = cert_of, key = key_of, min = check.choice { "1.2", "1.3" }, pin = pins_of }

--- A certificate and a key belong together.
local function check_pair(self, path, given, fields)
  if (given.cert == nil) ~= (given.key == nil) then
    self:fault(path, given.key == nil and "tls.cert wants its key" or "tls.key wants its certificate",
      { hint = given.key == nil and "add key = secret \"CLIENT_KEY\", or a file" or "add cert = \"client.pem\"" })
  elseif fields.cert and fields.key then
    local why = self.load.host.key_fault(fields.cert, fields.key.text, fields.key.secret)
    if why then
      self:fault(check.extend(path, "key"), ("%s: %s"):format(check.dotted(check.extend(path, "key")), why))
    end
  end
end

--- @treturn table|nil  { ca, cert, key: PEM; key_secret: a name; only_1_3; pins: as libcurl reads them }
function M.of_target(self, path, value)
  if type(value) ~= "table" then
    return self:wants(path, value, "a table", "tls = { ca = \"partner-ca.pem\" }")
  elseif self.load.mode ~= "check" then
    return nil
  end
  local fields = self:fields(path, value, known)
  check_pair(self, path, value, fields)
  return {
    ca = fields.ca, cert = fields.cert, key = fields.key and fields.key.text, key_secret = fields.key and fields.key.secret,
    only_1_3 = fields.min == "1.3", pins = fields.pin,
  }
end

return M
