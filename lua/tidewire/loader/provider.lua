--- provider.*: what a sender does, as a table (rules.md 9). Ours are lua/tidewire/providers/NAME.lua, a user's own are
-- rules/providers/NAME.lua; both say the same things, all optional but `verify`:
--
--   verify       a scheme (tidewire.loader.verify, "What a profile may say"), or a function(options) that gives one, or two which
--                both have to hold. `secret` in it names the option that holds its secrets, "secret" if not said
--   options      what the word takes: name → true (it has to be said), false (it may be) or, for `version`, the list of them;
--                { secret = true } if not said. one_of = { … }: one of these has to be said
--   public_key   the kind of key of that option: "ed25519", "p256"
--   type, id     where event.type and the delivery id are: a spot, or several of which the first that finds something counts. A
--                spot is a path, { join = { path, path } }, or { at = path, says = word }: the word where the path leads
--                somewhere, with `is = text` only to that text. With `of = text` or `not_of = text` it counts where the
--                Content-Type begins so, or does not.
--                An id is equal for a repetition and different for anything else; where there is none such, there is no `id`
--   time         where event.time is, as spots of texts of RFC 3339
--   types        all types, where they are known: others are warned of
--   remember_signature  true: an equal signature is a repetition too, for schemes that sign no time or deliveries without an id;
--                "always": even where a route says dedupe = false
--   handshake    a list, see `handshake_fields` below
--   reply        { status, body, content_type }: what the sender wants to hear, if not the usual 202
--   lists        true: a request holds a list of events, whose types show with `each = true` only
--   each         where `each = true` finds that list, if it is not the whole body: a path, or { at = path, of = text } for
--                where the Content-Type begins so alone
--   max_body, form_payload, content, samples
-- @module tidewire.loader.provider
local check = require "tidewire.loader.check"
local paths = require "tidewire.paths"
local values = require "tidewire.values"
local verify = require "tidewire.loader.verify"

local M = {}

--- All of ours.
M.names = {
  "bitbucket", "brex", "calcom", "calendly", "chargebee", "clerk", "cloudevents", "customerio", "discord", "dropbox",
  "github", "gitlab", "hubspot", "intercom", "jira", "linear", "mailgun", "meta", "notion", "okta", "onfleet", "openai",
  "paddle", "paypal", "postmark", "replicate", "resend", "sendgrid", "shopify", "slack", "sns", "square", "standard", "stripe",
  "svix", "telegram", "twilio", "twitch", "typeform", "vercel", "webflow", "woocommerce", "zendesk", "zoom",
}

-- ---- a profile's own words ----

local function path_text(self, path, value)
  if type(value) ~= "string" or not paths.path_is_valid(value) then
    return self:wants(path, value, "a path", "\"body.type\" or \"headers.x-event\"")
  end
  return value
end

local spot_fields = {
  join = check.list(path_text), at = path_text, is = check.line_text, says = check.line_text, of = check.line_text,
  not_of = check.line_text,
}

--- A spot as { paths, is, says, of, not_of } for the core.
local function spot_of(self, path, value)
  if type(value) == "string" then
    return { paths = { path_text(self, path, value) }, is = "", says = "" }
  end
  local fields = self:fields(path, type(value) == "table" and value or {}, spot_fields)
  if not (fields.join or fields.at and (fields.says or not fields.is)) then
    return self:wants(path, value, "a path, { join = { … } } or { at = …, says = … }", "\"body.type\"")
  end
  return { paths = fields.join or { fields.at }, is = fields.is or "", says = fields.says or "", of = fields.of,
    not_of = fields.not_of }
end

local function spots_of(self, path, value)
  local is_one = type(value) ~= "table" or value.join or value.at
  return check.list(spot_of)(self, path, is_one and { value } or value)
end

local list_fields = { at = path_text, of = check.line_text }

--- The list of a request as { at, of }.
local function list_of(self, path, value)
  if type(value) == "string" then
    return { at = path_text(self, path, value) }
  end
  local fields = self:fields(path, type(value) == "table" and value or {}, list_fields)
  if not fields.at then
    return self:wants(path, value, "a path or { at = …, of = … }", "\"body.events\"")
  end
  return fields
end

local function condition_of(value)
  if value == false then
    return { kind = "null" }
  elseif type(value) == "number" then
    return { kind = "number", text = tostring(value), number = value }
  end
  return { kind = value == "*" and "pattern" or "text", text = tostring(value) }
end

--- { path = text, number, "*" (any text) or false (absent) } as conditions for the core.
local function conditions_of(self, path, value)
  local conditions = {}
  for key, wanted in pairs(type(value) == "table" and value or {}) do
    conditions[#conditions + 1] = { path = path_text(self, check.extend(path, key), key), any = { condition_of(wanted) } }
  end
  table.sort(conditions, function(a, b) return a.path < b.path end)
  return conditions
end

local reply_fields = {
  status = check.whole(200, 299),
  body = function(self, path, value) return value == "" and "" or self:text(path, value) end,
  content_type = check.line_text,
}

local function reply_of(self, path, value)
  return self:fields(path, value, reply_fields)
end

--- One way in which a sender asks whether we are there. One of echo, hmac, reply, show, ask and origins says what the answer is.
local handshake_fields = {
  method = check.choice { "GET", "OPTIONS" }, -- of a request that nothing signs; without it: a verified one
  when = conditions_of,                       -- what tells it from an event
  token = path_text,                          -- has to equal the option `verify_token`
  echo = path_text,                           -- the answer is this value, as text or
  json = check.line_text,                     -- as the member of that name
  hmac = path_text,                           -- Zoom: the value and its HMAC
  reply = reply_of,                           -- the answer is always the same
  show = path_text,                           -- Notion: the secret itself, for the operator's eyes while it is not set
  ask = path_text,                            -- SNS: the reply, and this address of a host of the certificate is asked once
  origins = path_text,                        -- CloudEvents: allowed if it is one of the option `allow_origins`
}

local function handshake_of(self, path, value)
  local fields = self:fields(path, value, handshake_fields)
  local answer = fields.echo and (fields.json and "json" or "echo") or fields.hmac and "hmac" or fields.show and "show"
    or fields.ask and "ask"
    or fields.origins and "origins" or "fixed"
  return {
    answer = answer, method = fields.method or "", when = fields.when or {}, token_path = fields.token or "",
    value_path = fields.echo or fields.hmac or fields.show or fields.ask or fields.origins or "", name = fields.json or "",
    reply = fields.reply or { status = 200, body = "" },
  }
end

local function as_given(_, _, value) return value end

local profile_fields = {
  verify = as_given, options = as_given, one_of = as_given, samples = as_given, types = check.list(check.line_text),
  public_key = check.choice { "ed25519", "p256" },
  type = spots_of, id = spots_of, time = spots_of, each = list_of, handshake = check.list(handshake_of), reply = reply_of,
  max_body = check.size("1B", "64MiB"),
  content = check.choice { "json" },         -- whatever the content type says
  remember_signature = function(self, path, value)
    return value == "always" and value or self:boolean(path, value)
  end,
  form_payload = check.boolean, lists = check.boolean,
}

--- Looks a profile's table over.
-- @tparam table self  a checker whose subject is the profile
-- @treturn table  with spots, handshakes and sizes as the core wants them
local function read_profile(self, given)
  local profile = self:fields({}, given, profile_fields)
  if type(given.verify) ~= "table" and type(given.verify) ~= "function" then
    self:fault({}, "needs verify", { hint = "write verify = { header = \"X-Signature\" }" })
    profile.verify = {}
  end
  profile.options = profile.options or { secret = true }
  return profile
end

-- ---- the word ----

local function topic(self, path, value)
  local text = self:line_text(path, value)
  if text and not text:find "^arn:[%w%-]+:sns:[%w%-]+:%d+:[%w%-_%.]+$" then
    return self:fault(path, ("%s = %s is not the ARN of a topic"):format(check.dotted(path), check.shown(text)),
      { hint = "write topic = \"arn:aws:sns:us-east-1:123456789012:orders\"" })
  end
  return text
end

local function webhook_id(self, path, value)
  local text = self:line_text(path, value)
  if text and not text:find "^[%w%-_]+$" then
    return self:fault(path, ("%s = %s is no webhook id"):format(check.dotted(path), check.shown(text)),
      { hint = "it is on the webhook's page, letters and digits" })
  end
  return text
end

local secret_hint = "add %s = secret \"NAME\""
local option_words = {
  secret = { check.bare_secret, secret_hint }, signing_secret = { check.bare_secret, secret_hint },
  verify_token = { check.bare_secret, secret_hint }, bearer = { check.bare_secret, secret_hint },
  password = { check.bare_secret, secret_hint },
  user = { check.line_text, "add %s = \"…\"" },
  topic = { check.list(topic), "add %s = \"arn:aws:sns:…\": whose messages these are, AWS signs everybody's" },
  allow_sha1 = { check.boolean },
  webhook_id = { webhook_id, "add %s = \"…\", as the webhook's page shows it" },
  public_url = { verify.public_url, "add %s = \"https://hooks.example.com\"" },
  max_age = { check.duration("1s", "30d"), "add %s = \"5m\"" },
  allow_origins = { check.list(check.line_text), "add %s = { \"events.example.com\" }" },
}

local function option_checks(profile)
  local checks = {}
  for name, wanted in pairs(profile.options) do
    if name == "version" then
      checks[name] = check.choice(wanted)
    elseif name == "public_key" then
      checks[name] = verify.public_keys(profile.public_key)
    else
      checks[name] = option_words[name] and option_words[name][1] or check.text_or_secret
    end
  end
  return checks
end

local function hint_for(name)
  return ((option_words[name] or { nil, "add %s = \"…\"" })[2]):format(name)
end

local function demand(self, profile, given)
  for name, wanted in pairs(profile.options) do
    if wanted == true and self:lacks(given, name) then
      self:fault({}, "needs " .. name, { hint = hint_for(name) })
    end
  end
  local one
  for _, name in ipairs(profile.one_of or {}) do
    one = one or not self:lacks(given, name)
  end
  if one == false then
    self:fault({}, "needs " .. table.concat(profile.one_of, " or "), { hint = hint_for(profile.one_of[1]) })
  end
end

--- One scheme's record; `given` is not changed.
local function record_of(self, name, given, fields)
  local scheme = check.with_defaults(given, { name = name })
  local secrets = fields[scheme.secret or "secret"]
  scheme.secret = nil
  return verify.of_profile(self, scheme, { secrets = secrets, public_keys = fields.public_key, public_url = fields.public_url,
    max_age = fields.max_age, user = fields.user })
end

local function schemes_of(self, name, profile, fields)
  local first, also = profile.verify, nil
  if type(first) == "function" then
    first, also = first(fields)
  end
  local record = record_of(self, name, first or {}, fields)
  record.also = also and record_of(self, name, also, fields)
  return record
end

--- The profile's handshakes with the options of a route.
local function handshakes_of(profile, fields)
  local list = {}
  for i, handshake in ipairs(profile.handshake or {}) do
    list[i] = check.with_defaults({
      token_secrets = handshake.token_path ~= "" and fields.verify_token or {},
      origins = handshake.answer == "origins" and fields.allow_origins or {},
    }, handshake)
  end
  return list
end

--- The word `provider.NAME`.
-- @tparam table load  the running load
-- @tparam string name
-- @tparam table given  the profile's table
-- @tparam ?string file  where a user's own stands; nil: it is one of ours
function M.word(load, name, given, file)
  local word = "provider." .. name
  local profile = read_profile(check.new(load, "profile " .. name, file or "", 1), given)
  return function(options)
    local self = check.new(load, word, load.where())
    if type(options) ~= "table" then
      if not load.is_inert(options) then
        self:fault({}, ("wants a table, got %s"):format(check.shown(options)), { hint = ("write %s { … }"):format(word) })
      end
      options = {}
    end
    local fields = self:fields({}, options, option_checks(profile))
    demand(self, profile, options)
    local inside = check.new(load, word, self.file, self.line)
    inside.own_profile = file == nil
    return values.new("provider", {
      name = name, scheme = schemes_of(inside, name, profile, fields), type = profile.type or {}, id = profile.id,
      time = profile.time or {},
      types = profile.types, lists = profile.lists, each = profile.each, max_body = profile.max_body,
      content = profile.content, form_payload = profile.form_payload or false,
      remember_signature = profile.remember_signature or false,
      handshakes = handshakes_of(profile, fields), reply = profile.reply,
    })
  end
end

--- The words of all profiles of ours; each profile is read when its word is first said.
-- @treturn table  name → word
function M.words(load)
  local words = {}
  for _, name in ipairs(M.names) do
    local word
    words[name] = function(options)
      word = word or M.word(load, name, require("tidewire.providers." .. name))
      return word(options)
    end
  end
  return words
end

--- Adds the profile that a user's own file gives.
-- @tparam table words  as M.words gives them
-- @tparam string name  of the file
-- @tparam any given  what the file returned
function M.add_own(load, words, name, given, file)
  if load.is_inert(given) then
    words[name] = words[name] or function() return load.inert end
  elseif words[name] then
    load.findings:add { file = file, line = 1, message = ("there is a profile %q already"):format(name),
      hint = "give the file another name: it is the profile's" }
  elseif type(given) ~= "table" then
    load.findings:add { file = file, line = 1, message = "a profile's file returns its table, got " .. check.shown(given),
      hint = "write return { verify = { header = \"X-Signature\" } }" }
    words[name] = function() return load.inert end
  else
    words[name] = M.word(load, name, given, file)
  end
end

return M
