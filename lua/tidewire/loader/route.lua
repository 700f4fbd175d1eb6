--- The sentence `route`: its options as the data that the core runs by, its functions for the worker's state.
-- @module tidewire.loader.route
local bytecode = require "tidewire.loader.bytecode"
local check = require "tidewire.loader.check"
local findings = require "tidewire.loader.findings"
local limits = require "tidewire.loader.limits"
local order_by = require "tidewire.loader.order_by"
local paths = require "tidewire.paths"
local retry = require "tidewire.loader.retry"
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"

local M = {}

local PARAMS_MAX = 16
local DAY_MS = 86400000
local ACK_WITHIN_MS = 10000
-- ack, where the sender waits for more than the store.
local waits = { handled = true, delivered = true }

local type_of = views.words.type
local methods = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }

-- ---- when ----

local roots = { "id", "route", "type", "provider", "verified", "method", "path", "params", "query", "headers", "content_type",
  "raw", "body", "remote_ip" }

local function is_root(name)
  for _, root in ipairs(roots) do
    if name == root then return true end
  end
  return false
end

local function match_of(self, path, value)
  local kind = type_of(value)
  if kind == "string" then
    return { kind = value:find("*", 1, true) and "pattern" or "text", text = value }
  elseif kind == "number" then
    return { kind = "number", text = views.words.tostring(value), number = views.words.tonumber(value) }
  elseif kind == "boolean" then
    return { kind = "bool", truth = value }
  elseif kind == "null" then
    return { kind = "null" }
  end
  self:wants(path, value, "a text, number, true, false, json.null, or a list of these")
end

local function matches_of(self, path, value)
  if type(value) ~= "table" then
    return { match_of(self, path, value) }
  end
  local any = {}
  for i, item in ipairs(value) do
    any[#any + 1] = match_of(self, check.extend(path, i), item)
  end
  if next(value) == nil or #any == 0 then
    self:fault(path, "the list of values is empty, so the condition can never hold")
  end
  return any
end

local function check_path(self, key)
  local here = { "when", key }
  if type(key) ~= "string" or not paths.path_is_valid(key) then
    return self:fault(here, ("when: %s is not a path"):format(check.shown(key)),
      { hint = "write [\"body.items[1].sku\"] = … or [\"headers.x-id\"] = …", at_key = true })
  end
  local root = key:match "^[%w_]+"
  if is_root(root) then return true end
  local hint, suggestion = findings.near(root, roots)
  self:fault(here, ("when: an event has no '%s'"):format(root),
    { hint = hint or ("a field of the body is written \"body.%s\""):format(key), suggestion = suggestion, at_key = true })
end

local function warn_of_type(self, matches, profile)
  if not profile then
    return self:fault({ "when", "type" }, "when asks for `type`, but without `from` no event has one",
      { warning = true, at_key = true, hint = "name the place, for example [\"body.type\"] = …" })
  end
  for _, match in ipairs(profile.types and matches or {}) do
    local known = match.kind ~= "text"
    for _, name in ipairs(profile.types) do
      known = known or name == match.text
    end
    if not known then
      local hint, suggestion = findings.near(match.text, profile.types)
      self:fault({ "when", "type" }, ("%s is not known to send the type %q"):format(profile.name, match.text),
        { warning = true, hint = hint, suggestion = suggestion })
    end
  end
end

--- A path into XML finds nothing: where the content is known to be XML it is a mistake.
local function check_not_xml(self, here, path, content)
  if content == "xml" and path:find "^body[%.%[]" then
    self:fault(here, ("%s: no path leads into XML"):format(here[1]),
      { hint = ("write a function: %s = function(event) return xml.text(event.body, \"name\")%s end"):format(here[1],
        here[1] == "when" and " == \"…\"" or ""), at_key = true })
  end
end

--- Without `each` a list of events has no type, and such a condition would never hold.
local function warn_of_lists(self, given, profile)
  local asked = type(given.when) == "table" and given.when.type ~= nil
  if profile and profile.lists and asked and not given.each then
    self:fault({ "when", "type" }, ("%s sends lists, whose items have types"):format(profile.name),
      { warning = true, at_key = true, hint = "add each = true: then every item is an event" })
  end
end

--- The table form: { { path, any = { match … } } … }, sorted by path so that every load gives the same.
local function conditions_of(self, value, profile, content)
  local conditions = {}
  for key, wanted in pairs(value) do
    if check_path(self, key) and not self.load.is_inert(wanted) then
      local any = matches_of(self, { "when", key }, wanted)
      check_not_xml(self, { "when", key }, key, content)
      if key == "type" then
        warn_of_type(self, any, profile)
      end
      conditions[#conditions + 1] = { path = key, any = any }
    end
  end
  table.sort(conditions, function(a, b) return a.path < b.path end)
  return conditions
end

-- ---- dedupe ----

local within = check.duration("1m", "30d")

local function dedupe_by(self, path, value)
  if type(value) == "function" then
    return { by = "function", run = value }
  end
  if type(value) ~= "string" or not paths.path_is_valid(value) then
    return self:wants(path, value, "a path, a function or false", "dedupe = \"body.id\"")
  end
  return { by = "path", path = value, spots = { { paths = { value }, is = "", says = "" } } }
end

local function dedupe_of(self, path, value)
  if value == false then
    return { by = "none" }
  elseif type(value) ~= "table" then
    return dedupe_by(self, path, value)
  end
  local fields = self:fields(path, value, { by = dedupe_by, within = within })
  if value.by == nil then
    return self:fault(path, "dedupe needs by = \"…\"", { hint = "write dedupe = { by = \"body.id\", within = \"24h\" }" })
  end
  local dedupe = fields.by or { by = "none" }
  dedupe.within = fields.within
  return dedupe
end

-- ---- order_by ----

local order_of = order_by.into("an event", roots, is_root)

local function check_order(self, fields)
  if type(fields.order_by) == "string" then
    check_not_xml(self, { "order_by" }, fields.order_by, fields.content)
  end
  if fields.order_by and waits[fields.ack] then
    self:fault({ "order_by" }, ("order_by answers senders at once, but with ack = %q they wait"):format(fields.ack),
      { at_key = true, hint = "leave out one of the two" })
  end
end

-- ---- each ----

local listed = { json = true, ndjson = true, by_type = true }

local function each_of(self, path, value)
  if type(value) == "boolean" then
    return value
  end
  if type(value) ~= "string" or not paths.path_is_valid(value) or value:match "^[%w_]+" ~= "body" then
    return self:wants(path, value, "true, false or a path below body", "each = \"body.events\"")
  end
  return value
end

-- The list as { at, of }; at "": there is none.
local function list_of(self, fields, profile)
  local each = fields.each
  if not each then
    return { at = "" }
  elseif not listed[fields.content or "by_type"] then
    self:fault({ "each" }, ("each wants a list, which is JSON or NDJSON, but content is %q"):format(fields.content),
      { at_key = true, hint = "leave out one of the two" })
  end
  if fields.ack == "delivered" then
    self:fault({ "each" }, "each makes events that are answered together, but with ack = \"delivered\" one is waited for",
      { at_key = true, hint = "leave out one of the two" })
  end
  return each == true and (profile and profile.each or { at = "body" }) or { at = each }
end

-- ---- reply ----

local reply_fields = {
  status = check.whole(200, 299),
  headers = check.headers,
  text = check.text,
  body = check.text,
  json = function(_, _, value) return { value } end,
  content_type = check.line_text,
}

local function reply_of(self, path, value)
  if type(value) ~= "table" then
    return self:wants(path, value, "a table", "reply = { status = 200, text = \"ok\" }")
  end
  local fields = self:fields(path, value, reply_fields)
  local body, content_type = fields.body or fields.text, fields.text and "text/plain; charset=utf-8" or nil
  if fields.json then
    local ok, text = pcall(views.json.encode, fields.json[1])
    if not ok then
      return self:fault(check.extend(path, "json"), "reply: " .. text)
    end
    body, content_type = text, "application/json"
  end
  for _, header in ipairs(fields.headers or {}) do
    if type(header[2]) ~= "string" then
      self:fault(check.extend(path, "headers"), "reply: a secret has no place in an answer")
      header[2] = ""
    end
  end
  return { status = fields.status or 202, body = body, content_type = fields.content_type or content_type,
    headers = fields.headers }
end

-- ---- schema ----

--- The text of the schema: of a file of schemas/, or a table as JSON.
local function schema_text(self, path, value)
  if type(value) == "table" then
    local ok, text = pcall(views.json.encode, value)
    if not ok then
      return self:fault(path, "schema: " .. text)
    end
    return text
  elseif type(value) ~= "string" then
    return self:wants(path, value, "the name of a file, or a table", "schema = \"schemas/order.json\"")
  end
  local text = self.load.schemas[value]
  if not text then
    local hint, suggestion = findings.near(value, suggest.names_of(self.load.schemas))
    return self:fault(path, ("there is no schema %s"):format(check.shown(value)),
      { hint = hint or "schema files are *.json in the folder schemas/ of the rules", suggestion = suggestion })
  end
  return text
end

local function schema_of(self, path, value)
  local text = schema_text(self, path, value)
  local why = text and paths.schema_fault(text)
  if why then
    return self:fault(path, ("%s: %s"):format(type(value) == "string" and value or "schema", why))
  end
  return text
end

-- ---- redact ----

local function redact_of(self, path, value)
  local list = check.list(function(_, here, text)
    local root = type(text) == "string" and paths.path_is_valid(text) and text:match "^[%w_]+"
    if root ~= "body" and root ~= "headers" then
      return self:fault(here, ("%s is no path of the body or the headers"):format(check.shown(text)),
        { hint = "write \"body.card.number\", \"body.items[*].price\" or \"headers.x-token\"" })
    end
    return text
  end)(self, path, value)
  return list and table.concat(list, "\n")
end

-- ---- the rest ----

local function host_of(self, path, value)
  local text = self:text(path, value)
  if text and not text:find "^[%w%.%-]+$" and not text:find "^%[[%x:.]+%]$" then
    return self:fault(path, ("host = %s is no name of a host"):format(check.shown(value)),
      { hint = "write the name alone, without scheme, port or path: host = \"hooks.example.com\"" })
  end
  return text and text:lower()
end

local function method_list(self, path, value)
  return check.list(check.choice(methods))(self, path, value)
end

local function when_of(self, path, value)
  if type(value) ~= "table" and type(value) ~= "function" then
    return self:wants(path, value, "a table or a function", "when = { type = \"push\" }")
  end
  return value
end

local keep_time = check.duration("1m", "3650d")

local known = {
  from = check.made_by("provider", "from = provider.github { secret = secret \"GITHUB_WEBHOOK_SECRET\" }"),
  verify = check.made_by("verify", "verify = verify.bearer(secret \"TOKEN\")"),
  methods = method_list,
  max_body = check.size("1B", "64MiB"),
  content = check.choice { "json", "form", "multipart", "xml", "ndjson", "text", "raw" },
  when = when_of,
  dedupe = dedupe_of,
  handle = check.callback,
  ack = check.choice { "stored", "received", "handled", "delivered" },
  ack_within = check.duration("10ms", "10m"),
  keep = function(self, path, value) return value == false and { off = true } or { ms = keep_time(self, path, value) } end,
  retry = retry.of_route,
  order_by = order_of,
  on_error = check.callback,
  on_dead = check.callback,
  limits = limits.of_route,
  reply = reply_of,
  ip_allow = check.ranges,
  host = host_of,
  each = each_of,
  rate = check.rate,
  schema = schema_of,
  redact = redact_of,
  enabled = check.boolean,
}

local function check_pattern(self, path)
  if path:sub(1, 1) ~= "/" then
    return self:fault({}, "a path begins with '/'", { hint = ("write route \"/%s\""):format(path) })
  end
  if path:find "[%c%s?#]" then
    return self:fault({}, "a path has no white space, '?' or '#'")
  end
  local seen, count, rest = {}, 0, nil
  for segment in path:gmatch "/([^/]*)" do
    local mark, name = segment:match "^([:*])(.*)$"
    if rest then
      self:fault({}, ("'*%s' takes the rest of the path, so it stands last"):format(rest))
    elseif mark and not name:find "^[%a_][%w_]*$" then
      self:fault({}, ("'%s' is no name for a part of the path"):format(segment), { hint = "write /:name or /*rest" })
    elseif mark and seen[name] then
      self:fault({}, ("the path has two parts called '%s'"):format(name))
    end
    if mark then
      seen[name], count = true, count + 1
      rest = mark == "*" and name or nil
    end
  end
  if count > PARAMS_MAX then
    self:fault({}, ("a path has at most %d named parts"):format(PARAMS_MAX))
  end
end

local function needs_guard(self, given)
  if self:lacks(given, "from") and self:lacks(given, "verify") then
    self:fault({}, ("%s has neither 'from' nor 'verify', so anybody could call it"):format(self.subject), { bare = true,
      hint = "add   from = provider.github { secret = secret \"GITHUB_WEBHOOK_SECRET\" }\n"
        .. "or    verify = verify.none \"only reachable inside the office network\"" })
  end
end

--- A handler whose sender was answered already has nobody to answer. Found where it is written in the handler itself; in a
-- function that several share it is an error when it runs.
local function check_respond(self, given)
  if type(given.handle) ~= "function" or given.ack == "handled" then
    return
  end
  for _, use in ipairs(bytecode.scan(given.handle)) do
    if use.kind == "read" and use.name == "respond" then
      local source = self.load.sources[self.file]
      return self.load.findings:add { file = self.file, line = use.line, token = source and source:find(use.line, "respond"),
        message = self.subject .. ": respond works in routes with ack = \"handled\": this one's sender is answered before",
        hint = "add ack = \"handled\"" }
    end
  end
end

local function check_ack_within(self, given)
  if given.ack_within ~= nil and not waits[given.ack] then
    self:fault({ "ack_within" },
      "ack_within bounds how long a sender waits with ack = \"handled\" or \"delivered\", which this route does not have",
      { at_key = true })
  end
end

--- The Allow header: the route's methods and those of its handshakes.
local function allow_of(list, profile)
  local sorted, seen = {}, {}
  local function add(method)
    if method ~= "" and not seen[method] then
      seen[method], sorted[#sorted + 1] = true, method
    end
  end
  for _, method in ipairs(list) do
    add(method)
  end
  for _, handshake in ipairs(profile and profile.handshakes or {}) do
    add(handshake.method)
  end
  table.sort(sorted)
  return table.concat(sorted, ", ")
end

local function dedupe_record(self, fields, given, profile)
  local dedupe = fields.dedupe
  local by_profile = given.dedupe == nil and profile ~= nil
  if by_profile and profile.id then
    dedupe = { by = "path", spots = profile.id }
  end
  check_not_xml(self, { "dedupe" }, fields.dedupe and fields.dedupe.path or "", fields.content)
  dedupe = dedupe or { by = "none" }
  local shown = {}
  for _, spot in ipairs(dedupe.spots or {}) do
    shown[#shown + 1] = table.concat(spot.paths, "+")
  end
  local remember = profile ~= nil and profile.remember_signature
  return { by = dedupe.by, spots = dedupe.spots or {}, shown = table.concat(shown, ","), within = dedupe.within or DAY_MS,
    signature = remember == "always" or remember and (by_profile or dedupe.by ~= "none") }
end

--- @tparam table load  the running load
-- @tparam string path
-- @tparam table given  what was written
-- @treturn table  the record that core/script/load.c reads
-- @treturn table  { handle, when, dedupe, order_by, on_error, on_dead }: functions for the worker
function M.make(load, path, given, file, line)
  local self = check.new(load, ("route %q"):format(path), file, line)
  check_pattern(self, path)
  local fields = self:fields({}, given, known)
  needs_guard(self, given)
  if self:lacks(given, "handle") then
    self:fault({}, "needs a handler", { hint = "add handle = function(event) … end" })
  end
  check_respond(self, given)
  check_ack_within(self, given)
  check_order(self, fields)
  local profile = fields.from
  warn_of_lists(self, given, profile)
  local list = list_of(self, fields, profile)
  local method_names = fields.methods or { "POST" }
  local functions = {
    handle = fields.handle,
    when = type(fields.when) == "function" and fields.when or nil,
    dedupe = fields.dedupe and fields.dedupe.run,
    order_by = type(fields.order_by) == "function" and fields.order_by or nil,
    on_error = fields.on_error, on_dead = fields.on_dead,
  }
  return {
    path = path, file = file, line = line, enabled = fields.enabled ~= false,
    methods = method_names, allow = allow_of(method_names, profile),
    max_body = fields.max_body or profile and profile.max_body or load.limits.max_body,
    content = fields.content or profile and profile.content or "by_type",
    verify = fields.verify or profile and profile.scheme or { scheme = "none", name = "none", secrets = {} },
    provider = profile and profile.name or "", type = profile and profile.type or {},
    time = profile and profile.time or {}, each_path = list.at, each_of = list.of,
    handshakes = profile and profile.handshakes or {},
    form_payload = profile ~= nil and profile.form_payload,
    ip_allow = fields.ip_allow or {}, host = fields.host or "", rate = fields.rate, schema = fields.schema,
    redact = fields.redact or "",
    when = type(fields.when) == "table" and conditions_of(self, fields.when, profile, fields.content) or {},
    when_function = functions.when ~= nil,
    order_path = type(fields.order_by) == "string" and fields.order_by or "", order_function = functions.order_by ~= nil,
    on_error = functions.on_error ~= nil, on_dead = functions.on_dead ~= nil,
    dedupe = dedupe_record(self, fields, given, profile),
    ack = fields.ack or "stored", ack_within = fields.ack_within or ACK_WITHIN_MS,
    keep = not (fields.keep and fields.keep.off), keep_ms = fields.keep and fields.keep.ms or 30 * DAY_MS,
    reply = fields.reply or profile and profile.reply or { status = 202 },
    retry = fields.retry or retry.route_defaults,
    limits = fields.limits or {},
  }, functions
end

M.names = suggest.names_of(known)
return M
