--- The script of wrk: posts one GitHub event to the path of its URL again and again, signed beforehand.
--
--   wrk … -s post.lua URL -- FOLDER EVENT MODE [INTERVAL_MS]
--
-- FOLDER holds `head` and `tail`, the bytes of the body around eight digits, and `signatures`, 64 hex digits for each number from
-- 0 on (payloads.js). MODE:
--
--   same   one request, made once: the load costs least. For routes without dedupe whose events go nowhere
--   fresh  each request has a number of its own in its body, so another signature, another X-GitHub-Delivery, and the time it was
--          sent at (X-Sent-At, microseconds since 1970). When the signatures are used up it starts over, which dedupe then sees
--
-- INTERVAL_MS: what each connection leaves on average between two requests, beyond the time of the answer; without it none.
-- luacheck: globals init request delay done wrk
local ffi = require "ffi"
ffi.cdef "struct bench_time { long s, us; }; int gettimeofday(struct bench_time *now, void *zone);"

local SIGNATURE = 64
local time = ffi.new("struct bench_time")
local head, tail, signatures, available
local before_signature, before_id, before_time, before_body -- parts of a request
local count = 0

local function now_us()
  ffi.C.gettimeofday(time, nil)
  return ("%d%06d"):format(tonumber(time.s), tonumber(time.us))
end

local function read(folder, name)
  local file = assert(io.open(folder .. "/" .. name, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

local function lines_of(event)
  return ("POST %s HTTP/1.1\r\nHost: bench.example.com\r\nUser-Agent: GitHub-Hookshot/044aadd\r\n"
    .. "Content-Type: application/json\r\n"
    .. "X-GitHub-Event: %s\r\nX-GitHub-Hook-ID: 292430182\r\nContent-Length: %d\r\nX-Hub-Signature-256: sha256=")
    :format(wrk.path, event, #head + 8 + #tail)
end

--- Request number n.
local function make(n)
  local at = n % available * SIGNATURE
  return table.concat({
    before_signature, signatures:sub(at + 1, at + SIGNATURE), before_id, ("%012d"):format(n), before_time, now_us(), before_body,
    ("%08d"):format(n % available), tail,
  })
end

local function fresh()
  count = count + 1
  return make(count - 1)
end

function init(args)
  local folder, event, mode, interval = args[1], args[2], args[3], tonumber(args[4])
  head, tail, signatures = read(folder, "head"), read(folder, "tail"), read(folder, "signatures")
  available = #signatures / SIGNATURE
  before_signature = lines_of(event)
  before_id = "\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-"
  before_time = "\r\nX-Sent-At: "
  before_body = "\r\n\r\n" .. head
  if mode == "fresh" then
    request = fresh
  else
    local same = make(0)
    wrk.format = function() return same end -- which wrk asks once, when there is no global `request`
  end
  if interval then
    math.randomseed(1)
    delay = function() return math.random(0, math.floor(2 * interval + 0.5)) end
  end
end

--- One line of JSON behind wrk's own words.
function done(summary, latency)
  local errors = summary.errors
  io.write(('{"requests":%d,"not_2xx":%d,"failed":%d,"load_us":%d,"ended_us":%s,'):format(summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration, now_us()))
  io.write(('"p50_us":%d,"p99_us":%d,"max_us":%d}\n'):format(latency:percentile(50), latency:percentile(99), latency.max))
end
