--- The rules of workloads.js for nginx: HMAC by libcrypto with a context that stays keyed, lua-cjson, subrequests as deliveries.
-- luacheck: globals ngx
local cjson = require "cjson.safe"
local ffi = require "ffi"

ffi.cdef [[
typedef struct evp_mac_st EVP_MAC;
typedef struct evp_mac_ctx_st EVP_MAC_CTX;
typedef struct ossl_param_st { const char *key; unsigned int data_type; void *data; size_t data_size, return_size; } OSSL_PARAM;
EVP_MAC *EVP_MAC_fetch(void *library, const char *algorithm, const char *properties);
EVP_MAC_CTX *EVP_MAC_CTX_new(EVP_MAC *mac);
int EVP_MAC_init(EVP_MAC_CTX *context, const char *key, size_t len, const OSSL_PARAM *params);
int EVP_MAC_update(EVP_MAC_CTX *context, const char *data, size_t len);
int EVP_MAC_final(EVP_MAC_CTX *context, unsigned char *out, size_t *len, size_t size);
OSSL_PARAM OSSL_PARAM_construct_utf8_string(const char *key, char *buffer, size_t size);
OSSL_PARAM OSSL_PARAM_construct_end(void);
int CRYPTO_memcmp(const void *a, const void *b, size_t len);
]]
local crypto = ffi.load "crypto.so.3"

local M = {}
local TARGETS = { "/deliver/one", "/deliver/two", "/deliver/three" }
local HEX = {}
for byte = 0, 255 do
  HEX[("%02x"):format(byte)] = byte
end

local function keyed_context(secret)
  local algorithm = ffi.new("char[7]", "SHA256")
  local params = ffi.new("OSSL_PARAM[2]")
  params[0] = crypto.OSSL_PARAM_construct_utf8_string("digest", algorithm, 0)
  params[1] = crypto.OSSL_PARAM_construct_end()
  local context = crypto.EVP_MAC_CTX_new(crypto.EVP_MAC_fetch(nil, "HMAC", nil))
  assert(crypto.EVP_MAC_init(context, secret, #secret, params) == 1)
  return context
end

local context = keyed_context(assert(os.getenv "GITHUB_WEBHOOK_SECRET"))
local right, said, length = ffi.new "unsigned char[32]", ffi.new "unsigned char[32]", ffi.new "size_t[1]"

local function is_signed(body, header)
  if not header or #header ~= 71 or header:sub(1, 7) ~= "sha256=" then
    return false
  end
  for i = 0, 31 do
    local byte = HEX[header:sub(8 + 2 * i, 9 + 2 * i)]
    if not byte then
      return false
    end
    said[i] = byte
  end
  crypto.EVP_MAC_init(context, nil, 0, nil) -- the same key again
  crypto.EVP_MAC_update(context, body, #body)
  crypto.EVP_MAC_final(context, right, length, 32)
  return crypto.CRYPTO_memcmp(right, said, 32) == 0
end

local READS = {
  push = function(event)
    return event.pusher.name, event.repository.full_name, event.ref, event.after, #event.commits
  end,
  star = function(event)
    return event.sender.login, event.repository.full_name, event.action, event.starred_at, event.repository.id
  end,
}

local function deliver(message, targets)
  local body = cjson.encode(message)
  local requests = {}
  for i = 1, targets do
    requests[i] = { TARGETS[i], { method = ngx.HTTP_POST, body = body } }
  end
  local answers = { ngx.location.capture_multi(requests) }
  for i = 1, targets do
    if answers[i].status ~= 200 then
      return false
    end
  end
  return true
end

local function answer(status)
  ngx.status = status
  ngx.header.content_type = "application/json"
  ngx.print('{"id":"01a1fd81-1194-77cd-8788-53e4fe2af8ff"}\n')
end

--- payload: "push" or "star". targets: how many get a message; 0: the event is dropped.
function M.handle(payload, targets)
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body or not is_signed(body, ngx.var.http_x_hub_signature_256) then
    return answer(401)
  end
  local event = cjson.decode(body)
  if not event then
    return answer(400)
  end
  local who, where, what, at, how_many = READS[payload](event)
  if targets == 0 then
    assert(who ~= "" and where ~= "" and what ~= "" and at ~= "" and how_many > 0)
    return answer(202)
  end
  local delivered = deliver({
    text = who .. " did something to " .. where .. ", and this is the line that a person will read in a channel about it",
    repository = where, what = what, at = at, count = how_many, source = "tidewire bench", channel = "#development",
  }, targets)
  answer(delivered and 202 or 502)
end

return M
