-- Words as people mistype them: one edit, and the suggestion that each must get when the file is loaded.
local loader = require "tidewire.loader"
local suggest = require "tidewire.suggest"
local environment = require "tidewire.environment"
require("tidewire.actions")

local SHARE = 0.9

local function check(text)
  return loader.run {
    mode = "check", files = { { name = "rules/a.lua", module = "", text = text } },
    host = { env = function() end, secret = function() return true end, secret_fits = function() return true end,
      step = function() end },
  }.findings
end

-- Each kind: a file with a place for the word, and the words: wrong = right.
local kinds = {
  {
    name = "words of a file", file = [[local x = %s]],
    words = {
      targt = "target", taget = "target", traget = "target", targets = "target", Target = "target", tarket = "target",
      rout = "route", ruote = "route", routes = "route", route_ = "route",
      provder = "provider", providr = "provider", providers = "provider", verfy = "verify", verifiy = "verify",
      secert = "secret", secrets = "secret", secrt = "secret", evn = "env", envv = "env", sgin = "sign", ath = "auth",
      requre = "require", tostrng = "tostring", ipars = "ipairs", iparis = "ipairs", tonumer = "tonumber", jsn = "json",
      txet = "text", sned = "send", sleeep = "sleep", dorp = "drop", rety = "retry", fial = "fail", megre = "merge",
      flter = "filter", stirng = "string", tabel = "table", crypt = "crypto", uid = "uuid", bas64 = "base64",
    },
  },
  {
    name = "options of a route", file = [[route "/x" { verify = verify.none "t", handle = function(e) end, %s = 1 }]],
    words = {
      form = "from", fro = "from", verfy = "verify", veriyf = "verify", method = "methods", mehtods = "methods",
      hosts = "host", hots = "host", ip_alow = "ip_allow", ipallow = "ip_allow", rtae = "rate", max_boddy = "max_body",
      maxbody = "max_body", contnet = "content", contents = "content", whne = "when", shema = "schema", schemas = "schema",
      dedup = "dedupe", dedpue = "dedupe", handel = "handle", handler = "handle", handl = "handle", akc = "ack",
      replay = "reply", repy = "reply", rety = "retry", kep = "keep", redcat = "redact", redacts = "redact",
      enable = "enabled", enabeld = "enabled", limit = "limits",
    },
  },
  {
    name = "options of a target", file = [[target "x" { url = "http://a.example.com", %s = 1 }]],
    words = {
      ulr = "url", urll = "url", mehtod = "method", header = "headers", haeders = "headers", auht = "auth",
      timout = "timeout", timeuot = "timeout", time_out = "timeout", conect_timeout = "connect_timeout",
      connect_timout = "connect_timeout", rety = "retry", retyr = "retry", sucess = "success", succes = "success",
      concurency = "concurrency", concurrancy = "concurrency", ratee = "rate", sing = "sign", signn = "sign",
      privat = "private", max_respone = "max_response", maxresponse = "max_response",
    },
  },
  {
    name = "options of retry", file = [[target "x" { url = "http://a.example.com", retry = { %s = 1 } }]],
    words = { atempts = "attempts", attempt = "attempts", fisrt = "first", facotr = "factor", factro = "factor", mx = "max",
      withn = "within", whitin = "within" },
  },
  {
    name = "options of verify.hmac",
    file = [[route "/x" { handle = function(e) end, verify = verify.hmac { header = "X-S", secret = secret "S", %s = 1 } }]],
    words = { algoritm = "algorithm", algorithem = "algorithm", encodig = "encoding", prefx = "prefix", singed = "signed",
      sined = "signed", fromat = "format", signatur = "signature", timestmap = "timestamp", maxage = "max_age" },
  },
  {
    name = "options of limits",
    file = [[route "/x" { verify = verify.none "t", handle = function(e) end, limits = { %s = "1s" } }]],
    words = { handler_cpus = "handler_cpu", handle_time = "handler_time", handler_memroy = "handler_memory" },
  },
  {
    name = "kinds of ack", file = [[route "/x" { verify = verify.none "t", handle = function(e) end, ack = "%s" }]],
    words = { stord = "stored", store = "stored", recieved = "received", receive = "received" },
  },
  {
    name = "kinds of content", file = [[route "/x" { verify = verify.none "t", handle = function(e) end, content = "%s" }]],
    words = { jason = "json", josn = "json", txt = "text", rwa = "raw" },
  },
  {
    name = "methods", file = [[route "/x" { verify = verify.none "t", handle = function(e) end, methods = { "%s" } }]],
    words = { POTS = "POST", post = "POST", PTU = "PUT", DELTE = "DELETE", PACTH = "PATCH" },
  },
  {
    name = "algorithms",
    file = [[route "/x" { handle = function(e) end, verify = verify.hmac { header = "X", secret = secret "S", algorithm = "%s" } }]],
    words = { sha265 = "sha256", ["sha-256"] = "sha256", SHA256 = "sha256", sha52 = "sha512", sh1 = "sha1" },
  },
  {
    name = "encodings",
    file = [[route "/x" { handle = function(e) end, verify = verify.hmac { header = "X", secret = secret "S", encoding = "%s" } }]],
    words = { hxe = "hex", bas64 = "base64", base46 = "base64" },
  },
  {
    name = "providers", file = [[route "/x" { handle = function(e) end, from = provider.%s { secret = secret "S" } }]],
    words = { githb = "github", gihtub = "github", GitHub = "github", githubb = "github", standart = "standard", standrd = "standard" },
  },
  {
    name = "verify.*", file = [[route "/x" { handle = function(e) end, verify = verify.%s {} }]],
    words = { hamc = "hmac", hmacc = "hmac", baerer = "bearer", bearr = "bearer", non = "none" },
  },
  {
    name = "event types",
    file = [[route "/x" { handle = function(e) end, from = provider.github { secret = secret "S" }, when = { type = "%s" } }]],
    words = { pusch = "push", puhs = "push", pull_requst = "pull_request", pullrequest = "pull_request", isues = "issues",
      issue_coment = "issue_comment", realese = "release", releas = "release", check_runn = "check_run",
      workflow_jobs = "workflow_job", deploymen = "deployment", pign = "ping" },
  },
  {
    name = "words of libraries", file = [[route "/x" { verify = verify.none "t", handle = function(e) local x = %s() end }]],
    words = {
      ["text.tirm"] = "trim", ["text.trimm"] = "trim", ["text.splti"] = "split", ["text.start"] = "starts",
      ["text.plurl"] = "plural", ["text.firstline"] = "first_line", ["text.truncat"] = "truncate", ["text.fil"] = "fill",
      ["json.encod"] = "encode", ["json.decoed"] = "decode", ["json.arry"] = "array", ["time.fromat"] = "format",
      ["time.nwo"] = "now", ["time.prase"] = "parse", ["url.escpe"] = "escape", ["url.querry"] = "query",
      ["crypto.hamc"] = "hmac", ["crypto.eqaul"] = "equal", ["base64.encdoe"] = "encode", ["hex.decod"] = "decode",
      ["uuid.v5"] = "v4", ["log.wran"] = "warn", ["log.inof"] = "info", ["string.formt"] = "format", ["table.cocnat"] = "concat",
      ["math.flor"] = "floor",
    },
  },
}

--- What somebody who loads the file is told to write.
local function suggested(kind, word)
  for _, finding in ipairs(check(kind.file:format(word))) do
    if finding.suggestion ~= "" then
      return finding.suggestion
    end
  end
end

local spec = {}

function spec.nine_of_ten_mistakes_get_the_word_that_was_meant()
  local asked, right = 0, 0
  for _, kind in ipairs(kinds) do
    for _, word in ipairs(suggest.names_of(kind.words)) do
      local got = suggested(kind, word)
      asked = asked + 1
      if got == kind.words[word] then
        right = right + 1
      else
        print(("#   %s: '%s' gets %s, meant '%s'"):format(kind.name, word, got or "nothing", kind.words[word]))
      end
    end
  end
  print(("#   %d of %d mistakes get the right suggestion (%.1f %%)"):format(right, asked, 100 * right / asked))
  assert(asked >= 120, "too few mistakes to say anything")
  assert(right / asked >= SHARE, "fewer than nine of ten")
end

function spec.fields_of_an_event_are_suggested_too()
  local hint = debug.getregistry()["tidewire.unknown_field"]
  for wrong, right in pairs { boddy = "body", hedaers = "headers", querry = "query", tpye = "type", remoteip = "remote_ip",
    recieved_at = "received_at", parms = "params", rwa = "raw" } do
    assert(hint(wrong):find(("did you mean '%s'"):format(right), 1, true), wrong)
  end
end

--- Every name of every library and of the words, with a letter left out, doubled, or swapped with the next.
function spec.nine_of_ten_edits_of_every_word_lead_back()
  local asked, right = 0, 0
  local function try(names, known)
    for _, name in ipairs(names) do
      for i = 2, #name do
        for _, wrong in ipairs { name:sub(1, i - 1) .. name:sub(i + 1), name:sub(1, i) .. name:sub(i),
          name:sub(1, i - 1) .. name:sub(i + 1, i + 1) .. name:sub(i, i) .. name:sub(i + 2) } do
          if not known[wrong] and #name >= 4 then
            asked = asked + 1
            right = right + (suggest.nearest(wrong, names) == name and 1 or 0)
          end
        end
      end
    end
  end
  local words = environment.words()
  environment.libraries.words = suggest.names_of(words)
  for _, names in pairs(environment.libraries) do
    local known = {}
    for _, name in ipairs(names) do known[name] = true end
    try(names, known)
  end
  environment.libraries.words = nil
  print(("#   %d of %d edits lead back (%.1f %%)"):format(right, asked, 100 * right / asked))
  assert(right / asked >= SHARE, "fewer than nine of ten")
end

function spec.a_required_option_that_is_misspelt_is_one_mistake()
  for _, given in ipairs {
    'sign = sign.standard { secert = secret "A" }', 'sign = sign.hmac { heder = "X-A", secret = secret "A" }',
    'sign = sign.hmac { header = "X-A", secert = secret "A" }', 'sign = sign.jwt { secert = secret "A" }',
    'sign = sign.jwt { kye = secret "A", algorithm = "RS256" }', 'sign = sign.jwt { key = secret "A", algorthm = "RS256" }',
    'auth = auth.basic { usr = "a", password = secret "A" }', 'auth = auth.basic { user = "a", pasword = secret "A" }',
    'auth = auth.oauth2 { token_ulr = "https://t.example.com", id = "a", secret = secret "A" }',
    'auth = auth.oauth2 { token_url = "https://t.example.com", client_id = "a", secret = secret "A" }',
    'auth = auth.oauth2 { token_url = "https://t.example.com", id = "a", secert = secret "A" }',
  } do
    local found = check(('target "x" { url = "http://a.example.com", %s }'):format(given))
    assert(#found == 1 and found[1].message:find "has no option", given)
  end
  local found = check 'target "x" { url = "http://a.example.com", sign = sign.standard {}, auth = auth.basic { user = "a" } }'
  assert(#found == 2 and found[1].message == "auth.basic: needs password" and found[2].message == "sign.standard: needs secret")
end

function spec.what_is_no_slip_gets_nothing()
  for _, word in ipairs { "retries", "foo", "endpoint", "destination" } do
    for _, finding in ipairs(check(("target \"x\" { url = \"http://a.example.com\", %s = 1 }"):format(word))) do
      assert(finding.suggestion == "", word .. " gets " .. finding.suggestion)
    end
  end
end

return spec
