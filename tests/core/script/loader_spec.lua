-- What the loader is made of: near words, units, the text of a file as tokens, what compiled code reads and writes.
local bytecode = require "tidewire.loader.bytecode"
local check = require "tidewire.loader.check"
local source = require "tidewire.loader.source"
local suggest = require "tidewire.suggest"
local units = require "tidewire.units"
local verify = require "tidewire.loader.verify"

local function is(got, want, what)
  if got ~= want then
    error(("%s: got %s, wanted %s"):format(what or "value", tostring(got), tostring(want)), 2)
  end
end

local spec = {}

function spec.near_words()
  local known = { "timeout", "concurrency", "headers", "order_by", "retry", "url" }
  for written, meant in pairs { timout = "timeout", concurency = "concurrency", header = "headers", oder_by = "order_by", TIMEOUT = "timeout",
    rul = "url" } do
    is(suggest.nearest(written, known), meant, written)
  end
  for _, written in ipairs { "retries", "foo", "", "x" } do
    is(suggest.nearest(written, known), nil, written)
  end
  is(suggest.distance("ab", "ba"), 1)
  is(suggest.distance("", "abc"), 3)
  is(suggest.nearest(7, known), nil)
end

function spec.durations_sizes_rates()
  for text, ms in pairs { ["250ms"] = 250, ["10s"] = 10000, ["5m"] = 300000, ["2h"] = 7200000, ["3d"] = 259200000, ["1.5h"] = 5400000 } do
    is(units.duration(text), ms, text)
  end
  for _, wrong in ipairs { 30, "30", "s", "-1s", "1 s", "1w", "", "1e3s", true } do
    local value, hint = units.duration(wrong)
    is(value, nil, tostring(wrong))
    is(type(hint), "string")
  end
  is(select(2, units.duration(30)), 'write "30s" for seconds')
  is(units.size "64KiB", 65536)
  is(units.size "1MiB", 1048576)
  is(units.size "10MB", 10000000)
  is(units.size(5), nil)
  is(units.size "5", nil)
  is(units.rate "120/m", 2)
  is(select(2, units.rate "120/m"), 120)
  is(units.rate "0/s", nil)
  is(units.rate "5", nil)
end

function spec.options_are_found_in_the_text()
  local text = [==[
-- route "/x" { timeout = 1 } is only a comment
local s = [[ { timeout = 2 }
]] route "/x" { from = provider.github { secrt = 1 }, retry = { first = 30, ["max"] = "x" },
  handle = function() local a, timeout = 1, { 2 } if a then timeout = 3 end end, timeout = -5,
}]==]
  local file = source.new("a.lua", text)
  local function at(path, of_value)
    local token = file:option(3, path, of_value)
    return token and ("%d:%d %s"):format(token.line, token.column, token.text)
  end
  is(at { "timeout" }, "4:82 timeout")
  is(at({ "timeout" }, true), "4:92 -")
  is(at({ "retry", "first" }, true), "3:73 30")
  is(at({ "retry", "max" }, true), '3:87 "x"')
  is(at({ "from", "secrt" }), "3:42 secrt")
  is(at { "nothing" }, nil)
  is(file:line(3):match "^%]%] route", "]] route")
  local broken = source.new("b.lua", 'x = "never closed\ny = [[ nor this')
  is(#broken:all_tokens() > 3, true)
end

function spec.compiled_code_shows_its_names()
  local chunk = assert(loadstring([[
    local s = target "x" { url = secret "KEY" }
    local n = 0
    route "/x" { handle = function(event)
      n = n + 1
      count = 1
      send(s)
      return env("A", "b")
    end }]]))
  local seen = {}
  for _, use in ipairs(bytecode.scan(chunk)) do
    seen[("%s %s %d"):format(use.kind, use.name, use.line)] = use
  end
  for _, wanted in ipairs { "read target 1", "read secret 1", "literal secret 1", "assign n 4", "write count 5", "read send 6", "call send 6" } do
    is(seen[wanted] ~= nil, true, wanted)
  end
  is(seen["literal secret 1"].texts[1], "KEY")
  is(seen["call send 6"].arguments, 1)
  is(seen["literal env 7"].arguments, 2)
end

function spec.compiled_code_knows_the_lines_that_its_functions_can_run()
  local lines = bytecode.lines(assert(loadstring([[
    local x = target "x" {}
    route "/x" { handle = function(event)
      if event.body then

        send(x, { json = {
          a = map(event.body, function(item)
            return item
          end),
        } })
      end
    end }]])))
  local list = {}
  for line in pairs(lines) do
    list[#list + 1] = line
  end
  table.sort(list)
  is(table.concat(list, " "), "3 5 6 7 8 9", "lines")
end

--- The record that a profile's table makes with these options, and the messages of what is wrong with it.
local function scheme_of(given, options, own)
  local messages = {}
  local load = { sources = {}, findings = { add = function(_, finding) messages[#messages + 1] = finding.message end },
    is_inert = function() return false end }
  local self = check.new(load, "provider.acme", "a.lua", 1)
  self.own_profile = own
  return verify.of_profile(self, given, options), table.concat(messages, "\n")
end

function spec.a_profile_says_its_scheme_as_a_table()
  local hex = ("d75a980182b10ab7"):rep(4)
  local made, faults = scheme_of({ scheme = "ed25519", header = "X-Sig", signed = "{timestamp}{body}", timestamp = "headers.x-time",
    name = "acme (by key)" }, { public_keys = { hex } }, true)
  is(faults, "")
  is(made.scheme, "ed25519")
  is(made.name, "acme (by key)")
  is(made.public_keys[1], hex)
  is(made.max_age, 300000)
  made, faults = scheme_of({ scheme = "hash", header = "X-Sig", signed = "{secret}{body}", json_only = true },
    { secrets = { "S" } }, true)
  is(faults, "")
  is(made.json_only, true)
  is(made.max_age, 0)
  made, faults = scheme_of({ field = "body.signature.signature", signed = "{timestamp}{body:signature.token}", body_unsigned = true,
    timestamp = "body.signature.timestamp", key = "hex" }, { secrets = { "S" }, max_age = 60000 }, true)
  is(faults, "")
  is(made.field, "signature.signature")
  is(made.timestamp.field, "signature.timestamp")
  is(made.max_age, 60000)
  is(made.key, "hex")
  made, faults = scheme_of({ header = "X-Sig", timestamp = "body.at", max_age = "1m" }, { secrets = { "S" } })
  is(faults, "")
  is(made.max_age, 60000, "a time within a signed body")
  made, faults = scheme_of({ scheme = "token", header = "X-Token" }, { secrets = { "S" } }, true)
  is(faults, "")
  is(made.header .. made.name, "X-Tokentoken")
end

function spec.a_profile_that_signs_its_url_knows_its_ports()
  local given = { header = "X-Sig", signed = "{url}{form-sorted}", algorithm = "sha1", url_ports = true, body_sha256 = "bodySHA256" }
  for url, other in pairs { ["https://hooks.example.com/in"] = "https://hooks.example.com:443/in",
    ["http://hooks.example.com/in"] = "http://hooks.example.com:80/in", ["https://hooks.example.com:8443/in?a=:1"] =
    "https://hooks.example.com/in?a=:1", ["https://[::1]/in"] = "https://[::1]:443/in", ["https://[::1]:8443/in"] = "https://[::1]/in",
    ["https://hooks.example.com"] = "https://hooks.example.com:443" } do
    local made, faults = scheme_of(given, { secrets = { "S" }, public_url = url }, true)
    is(faults, "")
    is(made.urls[1], url)
    is(made.urls[2], other)
  end
  is(select(2, scheme_of(given, { secrets = { "S" } }, true)), "provider.acme: needs public_url, because the sender signs its URL")
end

function spec.a_profile_that_cannot_be_says_why()
  for message, given in pairs {
    ["a hash without {secret} in signed proves nothing"] = { scheme = "hash", header = "X" },
    ["{secret} is not for signed"] = { header = "X", signed = "{secret}{body}" },
    ["signed without {body} would prove nothing"] = { header = "X", signed = "{path}" },
    ["can be split in more than one way"] = { header = "X", signed = "{path}{body}" },
    ["has no option 'hedaer'"] = { hedaer = "X" },
    ["scheme = \"dsa\" is none of"] = { scheme = "dsa", header = "X" },
    ["key = \"raw\" is none of"] = { key = "raw", header = "X" },
    ["needs header or field"] = { algorithm = "sha1" },
    ["field = \"headers.x\" is no place in a JSON body"] = { field = "headers.x" },
    ["max_age needs a signed time"] = { header = "X", max_age = "5m" },
  } do
    local _, faults = scheme_of(given, { secrets = { "S" } })
    is(faults:find(message, 1, true) ~= nil, true, message .. " in " .. faults)
  end
end

return spec
