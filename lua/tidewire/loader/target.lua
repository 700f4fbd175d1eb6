--- The sentence `target`: where messages go, as the data that the core delivers by.
-- @module tidewire.loader.target
local check = require "tidewire.loader.check"
local order = require "tidewire.order"
local order_by = require "tidewire.loader.order_by"
local retry = require "tidewire.loader.retry"
local tls = require "tidewire.loader.tls"
local views = require "tidewire.views"

local M = {}

local type_of = views.words.type

local function status_range(self, path, value)
  local class = type(value) == "string" and value:match "^([1-5])xx$"
  if class then
    return { from = class * 100, to = class * 100 + 99 }
  elseif type(value) == "number" and value >= 100 and value <= 599 and value % 1 == 0 then
    return { from = value, to = value }
  end
  self:wants(path, value, "a status such as 202, or \"2xx\"")
end

local function success_of(self, path, value)
  if type(value) == "function" then
    return { run = value }
  end
  local ranges = check.list(status_range)(self, path, value)
  if #ranges > 16 then
    self:fault(path, "success has more than 16 entries")
  end
  return { ranges = ranges }
end

local roots = { "body", "headers", "path" }

local path_of = order_by.into("a message", roots, function(root, path)
  return root == "body" or root == "headers" or path == "path"
end)

local function order_of(self, path, value)
  return order.declared(path_of(self, path, value))
end

local breaker_default = { open_after = 10, probe_every = 30000 }
local breaker_fields = { open_after = check.whole(1, 1000), probe_every = check.duration("1s", "1d") }

local function breaker_of(self, path, value)
  if value == false then
    return { open_after = 0, probe_every = 0 }
  elseif type(value) ~= "table" then
    return self:wants(path, value, "a table, or false", "breaker = { open_after = 10, probe_every = \"30s\" }")
  end
  return check.with_defaults(self:fields(path, value, breaker_fields), breaker_default)
end

--- Headers that two options would make.
local function check_signature(self, fields)
  local sign = fields.sign
  for _, source in ipairs(sign and { sign, sign.timestamp or {}, sign.id or {} } or {}) do
    local name = source.header and source.header:lower()
    if name == "authorization" and fields.auth then
      self:fault({ "auth" }, "auth and sign both make the header 'authorization'",
        { at_key = true, hint = "keep one, or write header = \"X-Signature\" into sign" })
    end
    for _, pair in ipairs(fields.headers or {}) do
      if pair[1]:lower() == name then
        self:fault({ "headers", pair[1] }, ("the header '%s' is made by sign"):format(pair[1]), { at_key = true })
      end
    end
  end
end

local known = {
  url = check.address,
  method = check.choice { "POST", "PUT", "PATCH", "GET", "DELETE" },
  headers = check.headers,
  auth = check.made_by("auth", "auth = auth.bearer(secret \"TOKEN\")"),
  timeout = check.duration("10ms", "10m"),
  connect_timeout = check.duration("10ms", "10m"),
  retry = retry.of_target,
  success = success_of,
  concurrency = check.whole(1, 1000),
  breaker = breaker_of,
  rate = check.rate,
  order_by = order_of,
  sign = check.made_by("sign", "sign = sign.standard { secret = secret \"NAME\" }"),
  tls = tls.of_target,
  private = check.boolean,
  redirects = check.whole(0, 3),
  max_response = check.size("0B", "1MiB"),
}

--- @treturn table  the record that core/script/load.c reads
-- @treturn table  { success }: a function for the worker, or nil in it
-- @treturn string|function|nil  order_by
function M.make(load, name, given, file, line)
  local self = check.new(load, ("target %q"):format(name), file, line)
  local fields = self:fields({}, given, known)
  if self:lacks(given, "url") then
    self:fault({}, "needs an address", { hint = "add url = \"https://…\", or url = secret \"NAME\"" })
  end
  if given.tls ~= nil and fields.url and type_of(fields.url) == "string" and not fields.url:find "^https:" then
    self:fault({ "tls" }, "tls wants an address that begins with https://", { at_key = true })
  end
  check_signature(self, fields)
  local success = fields.success or { ranges = { { from = 200, to = 299 } } }
  return {
    name = name, file = file, line = line,
    url = fields.url or "", method = fields.method or "POST", headers = fields.headers or {},
    auth = fields.auth or { scheme = "none" },
    sign = fields.sign,
    timeout = fields.timeout or 15000, connect_timeout = fields.connect_timeout or 5000,
    retry = fields.retry or retry.target_defaults,
    success = success.ranges or {}, success_function = success.run ~= nil,
    concurrency = fields.concurrency or 16,
    breaker_after = (fields.breaker or breaker_default).open_after,
    breaker_probe = (fields.breaker or breaker_default).probe_every,
    rate = fields.rate or { per_second = 0, burst = 0 },
    tls = fields.tls,
    private = fields.private or false,
    redirects = fields.redirects or 0,
    max_response = fields.max_response or 65536,
  }, { success = success.run }, fields.order_by
end

return M
