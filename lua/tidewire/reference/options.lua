--- Words that give values for options: provider.*, verify.*, sign.*, auth.* and settings. See tidewire.reference.
-- @module tidewire.reference.options
local profiles = require "tidewire.loader.provider"
local suggest = require "tidewire.suggest"

--- What each profile takes is said by the profile itself: name? for what may be left out.
local function provider_entries()
  local entries = {}
  for i, name in ipairs(profiles.names) do
    local options = require("tidewire.providers." .. name).options or { secret = true }
    local names = suggest.names_of(options)
    for at, option in ipairs(names) do
      names[at] = ("`%s`%s"):format(option, options[option] == false and "?" or "")
    end
    entries[i] = { name, "(options: ProviderOptions): Provider", "Takes " .. table.concat(names, ", ") .. "." }
  end
  return entries
end

return {
  {
    name = "provider", kind = "library", text = "Profiles of senders, for `from`.",
    entries = provider_entries(),
  },
  {
    name = "provider options", kind = "options", class = "ProviderOptions", of = "provider.*",
    text = "What profiles want to know, each some of it.",
    entries = {
      { "secret", "Secret", "What is shared with the sender." },
      { "signing_secret", "Secret", "GitLab: the signing token." },
      { "public_key", "string | string[]", "The sender's public key." },
      { "public_url", "string", "This route's address as the sender knows it." },
      { "user", "string", "Of senders that use a name and password." },
      { "password", "Secret", "The same." },
      { "bearer", "Secret", "CloudEvents: the token." },
      { "allow_origins", "string[]", "CloudEvents: which origins may deliver." },
      { "verify_token", "Secret", "Meta: what it says when it asks whether the route is yours." },
      { "version", "string", "Of senders that sign in several ways." },
      { "topic", "string | string[]", "SNS: the topics that may send here. Needed there." },
      { "allow_sha1", "boolean", "SNS: signatures of version 1 too.", default = "false" },
      { "webhook_id", "string", "PayPal: the webhook's id, which is signed. Needed there." },
      { "max_age", "Duration", "How old a signed time may be.", default = "\"5m\"" },
    },
  },
  {
    name = "verify", kind = "library", text = "Who may call a route.",
    entries = {
      { "hmac", "(options: HmacOptions): Verify", "A signature by a shared secret." },
      { "standard", "(options: StandardOptions): Verify", "Standard Webhooks." },
      { "bearer", "(token: Secret): Verify", "`Authorization: Bearer …`." },
      { "basic", "(options: BasicOptions): Verify", "`Authorization: Basic …`." },
      { "jwt", "(options: JwtOptions): Verify", "A signed token." },
      { "none", "(why: string): Verify", "Anybody may; the reason is said." },
    },
  },
  {
    name = "verify.hmac", kind = "options", class = "HmacOptions", of = "verify.hmac",
    text = "How the signature is made and where it stands.",
    entries = {
      { "header", "string", "The header with the signature. Needed." },
      { "secret", "Secret", "Needed." },
      { "algorithm", "\"sha256\" | \"sha512\" | \"sha1\"", "", default = "\"sha256\"" },
      { "encoding", "\"hex\" | \"base64\"", "", default = "\"hex\"" },
      { "prefix", "string", "What stands before the signature.", default = "\"\"" },
      { "signed", "string",
        "What is signed, with `{body} {timestamp} {id} {method} {path} {url} {host} {header:NAME}` and others.",
        default = "\"{body}\"" },
      { "format", "\"plain\" | \"k=v,\" | \"k=v;\" | \"list\"", "The grammar of the header.", default = "\"plain\"" },
      { "signature", "string", "The part of the header that is the signature.", default = "\"v1\"" },
      { "timestamp", "string", "Where the signed time is: a part, or a path such as \"headers.x-time\"." },
      { "id", "string", "Where the signed id is." },
      { "max_age", "Duration", "How old a signed time may be, and how far ahead.", default = "\"5m\"" },
      { "public_url", "string", "This route's address as the sender knows it, for `{url}` and `{host}`." },
    },
  },
  {
    name = "verify.standard", kind = "options", class = "StandardOptions", of = "verify.standard",
    text = "One of the two.",
    entries = {
      { "secret", "Secret", "\"whsec_…\"." },
      { "public_key", "string", "\"whpk_…\"." },
    },
  },
  {
    name = "verify.basic", kind = "options", class = "BasicOptions", of = "verify.basic, auth.basic",
    text = "Name and password.",
    entries = {
      { "user", "string", "Needed." },
      { "password", "Secret", "Needed." },
    },
  },
  {
    name = "verify.jwt", kind = "options", class = "JwtOptions", of = "verify.jwt",
    text = "What a token has to be.",
    entries = {
      { "algorithm", "\"HS256\" | \"RS256\" | \"ES256\" | \"EdDSA\"", "Needed: the token's own word for it is not believed." },
      { "key", "Secret | string | string[]", "A secret for HS256, else the sender's public keys in PEM." },
      { "jwks", "string", "Instead of key: the https address of the sender's key set." },
      { "issuer", "string", "Its `iss`.", default = "any" },
      { "audience", "string | string[]", "One of its `aud`.", default = "any" },
    },
  },
  {
    name = "sign", kind = "library", text = "Signatures on what leaves.",
    entries = {
      { "standard", "(options: SignOptions): Sign", "Standard Webhooks." },
      { "hmac", "(options: SignHmacOptions): Sign", "Any scheme over HMAC: what `verify.hmac` accepts with the same options." },
      { "jwt", "(options: SignJwtOptions): Sign", "A short-lived token for each attempt." },
    },
  },
  {
    name = "sign.standard", kind = "options", class = "SignOptions", of = "sign.standard",
    text = "By what is signed.",
    entries = { { "secret", "Secret", "\"whsec_…\". Needed." } },
  },
  {
    name = "sign.hmac", kind = "options", class = "SignHmacOptions", of = "sign.hmac",
    text = "How what leaves is signed; as in verify.hmac. Made anew at each attempt.",
    entries = {
      { "header", "string", "The header with the signature. Needed." },
      { "secret", "Secret", "Needed; of two names the first signs." },
      { "algorithm", "\"sha256\" | \"sha512\" | \"sha1\"", "", default = "\"sha256\"" },
      { "encoding", "\"hex\" | \"base64\"", "", default = "\"hex\"" },
      { "prefix", "string", "What stands before the signature.", default = "\"\"" },
      { "signed", "string",
        "What is signed, with `{body} {timestamp} {id} {method} {path} {url} {host} {header:NAME}` and others.",
        default = "\"{body}\"" },
      { "format", "\"plain\" | \"k=v,\" | \"k=v;\" | \"list\"", "The grammar of the header.", default = "\"plain\"" },
      { "signature", "string", "The part of the header that is the signature.", default = "\"v1\"" },
      { "timestamp", "string", "The header for the time, or the part of the signature's." },
      { "id", "string", "The header for the message's id, or the part; the same at each attempt." },
    },
  },
  {
    name = "sign.jwt", kind = "options", class = "SignJwtOptions", of = "sign.jwt",
    text = "A token with `iat`, `exp` and `jti`, and what is said here.",
    entries = {
      { "secret", "Secret", "For HS256; or" },
      { "key", "Secret", "a private key in PEM, for the others." },
      { "algorithm", "\"HS256\" | \"RS256\" | \"ES256\" | \"EdDSA\"", "Needed with key.", default = "\"HS256\"" },
      { "key_id", "string", "The `kid` of its header, where the receiver has several keys." },
      { "header", "string", "The header it goes into.", default = "\"Authorization\"" },
      { "prefix", "string", "What stands before it.", default = "\"Bearer \" in `Authorization`, else \"\"" },
      { "issuer", "string", "Its `iss`.", default = "none" },
      { "audience", "string | string[]", "Its `aud`.", default = "none" },
      { "subject", "string", "Its `sub`.", default = "none" },
      { "ttl", "Duration", "From `iat` to `exp`.", default = "\"5m\"" },
      { "claims", "table<string, any>", "Further claims." },
      { "body_hash", "string", "The name of a claim with the SHA-256 of the body, in hex.", default = "none" },
    },
  },
  {
    name = "auth", kind = "library", text = "How we show who we are.",
    entries = {
      { "bearer", "(token: Secret): Auth", "`Authorization: Bearer …`." },
      { "basic", "(options: BasicOptions): Auth", "`Authorization: Basic …`." },
      { "oauth2", "(options: OAuth2Options): Auth", "`Authorization: Bearer …` by a token that is asked for. Targets only." },
    },
  },
  {
    name = "auth.oauth2", kind = "options", class = "OAuth2Options", of = "auth.oauth2",
    text = "The client credentials grant (RFC 6749, 4.4).",
    entries = {
      { "token_url", "string | Secret", "Where the token is asked for. Needed." },
      { "id", "string | Secret", "The client's id. Needed." },
      { "secret", "Secret", "The client's secret. Needed." },
      { "scope", "string | string[]", "What the token is to be good for.", default = "none" },
    },
  },
  {
    name = "compat", kind = "library", text = "Functions written for others, from the folder compat/.",
    entries = {
      { "webhookrelay", "(file: string, cfg?: table): fun(event: Event)", "A function for Webhook Relay as a handler." },
      { "fluentbit", "(file: string, options: table): fun(event: Event)", "A filter for Fluent Bit as a handler." },
    },
  },
  {
    name = "settings", kind = "words", text = "What comes from outside the files.",
    entries = {
      { "secret", "(name: string, old?: string): Secret", "A secret by its name; with two names the first signs and both verify. "
        .. "`..` with text gives another one." },
      { "env", "(name: string, default?: string): string", "A plain setting; without a default it has to be set." },
      { "require", "(module: string): any", "`require \"lib.name\"` runs lib/name.lua once and gives what it returns." },
    },
  },
}
