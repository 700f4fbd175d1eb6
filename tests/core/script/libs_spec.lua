-- The small libraries of rules, with the vectors of their documents.
local base64, hex, crypto, uuid = require "tidewire.base64", require "tidewire.hex", require "tidewire.crypto", require "tidewire.uuid"
local time, url, text, views = require "tidewire.time", require "tidewire.url", require "tidewire.text", require "tidewire.views"
local csv, ip = require "tidewire.csv", require "tidewire.ip"
keys = dofile "tests/core/script/keys.lua" -- global: the secrets of test_libs.c are found there
local keys = keys

local function is(got, want, what)
  if got ~= want then
    error(("%s: got %s, wanted %s"):format(what or "value", tostring(got), tostring(want)), 2)
  end
end

local function fails(pattern, f, ...)
  local ok, why = pcall(f, ...)
  if ok then error("did not fail: " .. pattern, 2) end
  if not tostring(why):find(pattern) then error(("failed with %s, wanted %s"):format(tostring(why), pattern), 2) end
end

local spec = {}

function spec.base64_as_rfc_4648()
  for plain, coded in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy" } do
    is(base64.encode(plain), coded)
    is(base64.decode(coded), plain)
    is(base64.url_encode(plain), (coded:gsub("=", "")))
    is(base64.url_decode(coded), plain)
    is(base64.url_decode((coded:gsub("=", ""))), plain)
  end
  is(base64.url_encode "\251\255", "-_8")
  is(base64.encode "\251\255", "+/8=")
  for _, wrong in ipairs { "Zg", "Zg=", "Zg===", "Z", "Zg==Zg==", "Zm 9v", "Zm9v\n", "-_8=", "Zh==", "=", "====" } do
    fails("base64.decode: ", base64.decode, wrong)
  end
  fails("base64.decode wants text", base64.decode)
end

function spec.hex_both_ways()
  is(hex.encode "\0\255a", "00ff61")
  is(hex.decode "00FF61", "\0\255a")
  fails("odd number", hex.decode, "abc")
  fails("byte 2 is no hex digit", hex.decode, "0x")
end

function spec.hmac_as_rfc_4231()
  is(crypto.hmac("sha256", ("\11"):rep(20), "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
  is(crypto.hmac("sha256", "Jefe", "what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  is(crypto.hmac("sha512", "Jefe", "what do ya want for nothing?"), "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
    .. "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")
  is(crypto.hmac("sha1", "key", "The quick brown fox jumps over the lazy dog"), "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9")
  is(crypto.hmac("sha256", "Jefe", "x", "base64"), base64.encode(crypto.hmac("sha256", "Jefe", "x", "raw")))
  fails("the algorithm is", crypto.hmac, "md5", "k", "d")
  fails("the encoding is", crypto.hmac, "sha256", "k", "d", "base32")
  fails("an empty key", crypto.hmac, "sha256", "", "d")
  fails("the data is text", crypto.hmac, "sha256", "k", {})
end

function spec.secrets_as_keys()
  local secret = views.secret.new
  is(crypto.hmac("sha256", secret "JEFE", "what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  is(crypto.equal(secret "JEFE", "Jefe"), true)
  fails('secret "GONE" is not set', crypto.hmac, "sha256", secret "GONE", "x")
  fails("joined with text", crypto.hmac, "sha256", "a" .. secret "JEFE", "x")
end

function spec.hashes_and_chance()
  is(crypto.hash("sha256", ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  is(crypto.hash("sha1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d")
  is(crypto.equal("a", "a"), true)
  is(crypto.equal("a", "b"), false)
  is(crypto.equal("a", "aa"), false)
  is(#crypto.random(32), 32)
  is(crypto.random(16) ~= crypto.random(16), true)
  fails("from 1 to", crypto.random, 0)
  fails("from 1 to", crypto.random, 65537)
end

function spec.ids()
  is(uuid.v4():match "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x+$" ~= nil, true)
  local before = uuid.v7()
  for _ = 1, 1000 do
    local id = uuid.v7()
    is(before < id, true, "ids go up")
    before = id
  end
end

function spec.times()
  is(time.iso(0), "1970-01-01T00:00:00Z")
  is(time.iso(1763630042), "2025-11-20T09:14:02Z")
  is(time.iso(1763630042.25), "2025-11-20T09:14:02.250Z")
  is(time.iso(1763630042.9996), "2025-11-20T09:14:03Z")
  is(time.parse "2025-11-20T09:14:02Z", 1763630042)
  is(time.parse "2025-11-20T10:14:02+01:00", 1763630042)
  is(time.parse "2025-11-20t05:44:02.5-03:30", 1763630042.5)
  is(time.parse "Sun, 06 Nov 1994 08:49:37 GMT", 784111777)
  is(time.parse "2024-02-29T00:00:00Z", 1709164800)
  for _, wrong in ipairs { "2023-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-01-32T00:00:00Z", "2025-01-01T24:00:00Z",
    "2025-01-01", "2025-01-01T00:00:00", "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00+25:00", "yesterday", "" } do
    local value, why = time.parse(wrong)
    is(value, nil, wrong)
    is(type(why), "string")
  end
  is(time.format(1763630042, "%Y-%m-%d %H:%M:%S %a %B %j%%"), "2025-11-20 09:14:02 Thu November 324%")
  is(time.format(951782400, "%F %T %A"), "2000-02-29 00:00:00 Tuesday")
  fails("'%%Q' is not known", time.format, 0, "%Q")
  is(time.add(0, "2d"), 172800)
  is(time.add(172800, "-1.5h"), 167400)
  fails("write \"30s\"", time.add, 0, 30)
  is(time.diff(10.5, 10), 0.5)
  is(time.now() > 1750000000, true)
  fails("wants a time", time.iso, "now")
  for _ = 1, 500 do
    local moment = math.random(0, 4102444800)
    is(time.parse(time.iso(moment)), moment, "there and back")
  end
end

function spec.urls()
  local parts = url.parse "https://ann@API.example.com:8443/a/b?x=1&y=2#top"
  is(parts.scheme .. parts.user .. parts.host .. parts.port .. parts.path .. parts.query .. parts.fragment, "httpsannapi.example.com8443/a/bx=1&y=2top")
  is(url.build(parts), "https://ann@api.example.com:8443/a/b?x=1&y=2#top")
  is(url.parse("http://[2001:db8::1]:80/").host, "[2001:db8::1]")
  is(url.parse("/only/path").host, nil)
  is(url.parse("http://a.example.com").path, "")
  is(url.parse("http://a.example.com/#c?d").query, nil)
  is(url.parse "http://a b/", nil)
  is(url.parse "http://a.example.com:99999/", nil)
  is(url.escape "a b/ü&", "a%20b%2F%C3%BC%26")
  is(url.join("https://a.example.com/v1/", "käse", 7, "x/y"), "https://a.example.com/v1/k%C3%A4se/7/x%2Fy")
  fails("walks to another place", url.join, "https://a.example.com", "..")
  fails("walks to another place", url.join, "https://a.example.com", ".")
  fails("part 1 is a nil", url.join, "https://a.example.com", nil)
  is(url.query { b = "2 3", a = 1 }, "a=1&b=2%203")
  local query = url.query "a=1&b=x+y%21&a=2&c"
  is(query.a .. query.b .. query.c, "1x y!")
  fails("a query has names", url.query, { "x" })
  is(url.build { scheme = "https", host = "a.example.com", path = "x", query = { q = "1" } }, "https://a.example.com/x?q=1")
end

function spec.texts()
  is(text.trim "  a b \n", "a b")
  is(table.concat(text.split("a,b,,c", ","), "|"), "a|b||c")
  is(table.concat(text.split("a.b", "."), "|"), "a|b")
  fails("wants a separator", text.split, "a", "")
  is(text.starts("abc", "ab"), true)
  is(text.ends("abc", "bc"), true)
  is(text.ends("abc", ""), true)
  is(text.first_line "one\r\ntwo", "one")
  is(text.plural(1, "commit"), "1 commit")
  is(text.plural(3, "commit"), "3 commits")
  is(text.plural(0, "branch", "branches"), "0 branches")
  local commits = views.json.decode '[{"id":"a","n":12345678901234567},{"id":"b","n":2}]'
  is(text.join(commits, ", ", "id"), "a, b")
  is(text.join(commits, "+", "n"), "12345678901234567+2")
  is(text.join({ 1, "x", true }, "-"), "1-x-true")
  fails("item 1 is a table", text.join, { {} }, ",")
  fails("a secret has no place", text.join, { views.secret.new "S" }, ",")
  is(text.truncate("äöüß", 4), "äöüß")
  is(text.truncate("äöüßx", 4), "äöü…")
  is(text.truncate("abcdef", 3, ""), "abc")
  is(text.truncate("abc", 0), "")
  is(text.slug " Hello, World! ", "hello-world")
  local entries = { ["invoice.paid"] = 1, ["invoice.*"] = 2, ["*"] = 3, ["in*d"] = 4 }
  is(text.choose("invoice.paid", entries), 1)
  is(text.choose("invoice.void", entries), 2)
  is(text.choose("ind", entries), 4)
  is(text.choose("x", entries), 3)
  is(text.choose(nil, entries), nil)
  is(text.choose("a+b", { ["a+*"] = 1 }), 1)
  is(text.fill("{a} and {b_2}", { a = "x", b_2 = 7 }), "x and 7")
  is(text.fill("{q}", { q = 'say "hi"\n' }, "json"), 'say \\"hi\\"\\n')
  is(text.fill("<b>{q}</b>", { q = "<script>&\"'" }, "html"), "<b>&lt;script&gt;&amp;&quot;&#39;</b>")
  is(text.fill("{id}", commits[1]), "a")
  is(text.fill("{} {1} { a }", {}), "{} {1} { a }")
  is(text.fill("{a}", { a = "{b}", b = "no" }), "{b}")
  fails("{x} is not given", text.fill, "{x}", {})
  fails("{x} is a secret", text.fill, "{x}", { x = views.secret.new "S" })
  fails("{x} is a table", text.fill, "{x}", { x = {} })
end

function spec.form_both_ways()
  local form = require "tidewire.form"
  is(form.encode { name = "Ann & Bob", tag = { "a b", 2, true }, n = 1.5, ["ü[]"] = "*-._~", none = {} },
    "n=1.5&name=Ann+%26+Bob&tag=a+b&tag=2&tag=true&%C3%BC%5B%5D=*-._%7E")
  is(form.encode {}, "")
  is(form.encode(views.json.decode '{"b":[1,"x"],"a":12345678901234567890}'), "a=12345678901234567890&b=1&b=x")
  local read = form.decode "a=1&b=x+%26&a=2&c&=d&&%00=%00"
  is(read.a .. "|" .. read.b .. "|" .. read.c .. "|" .. read[""] .. "|" .. read["\0"], "1|x &||d|\0")
  is(table.concat(form.all("a=1&b=2&%61=3+", "a"), ","), "1,3 ")
  is(#form.all("a=1", "b"), 0)
  is(next(form.decode ""), nil)
  fails("form.encode: 'a' has to be text", form.encode, { a = function() end })
  fails("form.encode: 'a' has to be text, a number, a boolean or a list of these, got number", form.encode, { a = 0 / 0 })
  fails("form.encode: the list 'a' has holes", form.encode, { a = { 1, nil, 2 } })
  fails("form.encode: 'a' is a table with names", form.encode, { a = { b = 1 } })
  fails("form.encode: a form is a table of names", form.encode, { "a" })
  fails("form.encode: a form is a table", form.encode)
  fails("form.encode cannot take a secret", form.encode, { a = views.secret.new "JEFE" })
  fails("form.decode wants text, got table", form.decode, {})
  fails("form.all wants an event and a name", form.all, "a=1")
  fails("form.all wants text, got nil", form.all, nil, "a")
end

function spec.xml_both_ways()
  local xml = require "tidewire.xml"
  local text = '<o id="7&#10;"><n>A &amp; B</n><line sku="x"/><line sku="y">z<b>!</b></line><e> </e></o>'
  local o = xml.decode("\239\187\191<?xml version='1.0'?>\n" .. text)
  is(o.name, "o")
  is(o.attr.id, "7\n")
  is(#o, 4)
  is(o[1][1], "A & B")
  is(#xml.all(o, "line"), 2)
  is(#xml.all(o, "gone") + #xml.all(nil, "gone"), 0)
  is(xml.first(o, "line").attr.sku, "x")
  is(xml.first(o, "gone"), nil)
  is(xml.first(nil, "gone"), nil)
  is(xml.text(o, "line"), "")
  is(xml.text(xml.all(o, "line")[2]), "z!")
  is(xml.text(o), "A & Bz! ")
  is(xml.text(o, "gone"), nil)
  is(xml.text(nil), nil)
  is(xml.encode(o), text)
  is(xml.encode(xml.decode(xml.encode(o))), text)
  is(xml.encode { "Response", { "Message", "Thanks" } }, "<Response><Message>Thanks</Message></Response>")
  is(xml.encode { name = "a", attr = { y = true, x = 1.5 }, "b", 2, { "c" } }, '<a x="1.5" y="true">b2<c/></a>')
  is(xml.encode { "a", '<>&"\r\n\t' }, '<a>&lt;&gt;&amp;"&#13;\n\t</a>')
  is(xml.encode { "a", attr = { q = '<>&"\r\n\t' } }, '<a q="&lt;&gt;&amp;&quot;&#13;&#10;&#9;"/>')
  is(xml.encode { "é:a", "é" }, "<é:a>é</é:a>")
end

function spec.xml_that_cannot_be_written()
  local xml = require "tidewire.xml"
  for why, node in pairs {
    ["a node wants its name first"] = {}, ['a node wants its name first, { "order", … }, got "a b"'] = { "a b" },
    ["a node wants its name first, .* got table"] = { { "a" } }, ["<a> has 'id'"] = { "a", id = 1 },
    ["attr of <a> is a table"] = { "a", attr = "x" }, ["attr of <a>: 1 is no name"] = { "a", attr = { "x" } },
    ["the attribute 'x' of <a> has to be text"] = { "a", attr = { x = {} } }, ["a child of <a> has to be text, .* got null"] = { "a", views.null },
    ["a child of <a> has a control byte"] = { "a", "\0" }, ["a child of <a> is not UTF%-8"] = { "a", "\255" },
    ["the children of <a> have a hole: child 2"] = { "a", "x", nil, "y" }, ["cannot take a secret"] = { "a", views.secret.new "JEFE" },
    ["the name of a node is not UTF%-8"] = { "\255" },
  } do
    fails("xml.encode:? .*" .. why, xml.encode, node)
  end
  fails("XML is a node", xml.encode, "a")
  local deep = { "a" }
  for _ = 1, 127 do deep = { "a", deep } end
  is(#xml.encode(deep), 127 * 7 + 4)
  fails("nested deeper than 128", xml.encode, { "a", deep })
  deep[2][2] = deep
  fails("nested deeper than 128", xml.encode, deep)
  fails("xml.decode: mismatched tag at byte 5", xml.decode, "<a></b>")
  fails("xml.decode wants text", xml.decode, {})
  fails("xml.all wants a node", xml.all, "x", "y")
  fails("xml.first wants the name", xml.first, { name = "a" })
end

function spec.signatures_of_others_are_verified()
  for algorithm, with in pairs {
    ["rsa-sha256"] = { keys.rsa_public, keys.by_rsa }, ["rsa-pss-sha256"] = { keys.rsa_public, keys.by_rsa_pss },
    ["ecdsa-sha256"] = { keys.ec_public, keys.by_ec },
  } do
    local signature = base64.decode(with[2])
    is(crypto.verify(algorithm, with[1], keys.signed, signature), true, algorithm)
    is(crypto.verify(algorithm, with[1], keys.signed .. "!", signature), false, algorithm)
    is(crypto.verify(algorithm, with[1], keys.signed, signature .. "!"), false, algorithm)
    is(crypto.verify(algorithm, with[1], keys.signed, ""), false, algorithm)
    for _, other in ipairs { "sha384", "sha512" } do
      is(crypto.verify(algorithm:gsub("sha256", other), with[1], keys.signed, signature), false, other)
    end
  end
  is(crypto.verify("ecdsa-sha256", keys.ec_certificate, keys.signed, base64.decode(keys.by_ec)), true, "a certificate")
  is(crypto.verify("rsa-pss-sha256", keys.rsa_public, keys.signed, base64.decode(keys.by_rsa)), false, "another padding")
end

function spec.signatures_as_rfc_8032()
  local private = hex.decode "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
  local public = hex.decode "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
  local function pem(kind, head, bytes)
    return ("-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n"):format(kind, base64.encode(hex.decode(head) .. bytes), kind)
  end
  local signature = crypto.sign("ed25519", pem("PRIVATE", "302e020100300506032b657004220420", private), "")
  is(signature, "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    .. "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
  is(crypto.verify("ed25519", pem("PUBLIC", "302a300506032b6570032100", public), "", hex.decode(signature)), true)
end

function spec.what_is_signed_here_is_verified()
  for _, algorithm in ipairs { "rsa-sha256", "rsa-sha384", "rsa-sha512", "rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512",
    "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512" } do
    local kind = algorithm:match "^%a+" == "rsa" and "rsa" or "ec"
    local signature = crypto.sign(algorithm, keys[kind], "data", "raw")
    is(crypto.verify(algorithm, keys[kind .. "_public"], "data", signature), true, algorithm)
  end
  is(crypto.sign("rsa-sha256", keys.rsa, keys.signed, "base64"), keys.by_rsa)
  is(crypto.sign("rsa-sha256", views.secret.new "RSA", keys.signed, "base64"), keys.by_rsa)
  is(crypto.verify("rsa-sha256", views.secret.new("GONE", "RSA_PUBLIC"), keys.signed, base64.decode(keys.by_rsa)), true)
end

function spec.keys_that_do_not_fit()
  fails("the algorithm is", crypto.sign, "sha256", keys.rsa, "x")
  fails("no private key in PEM", crypto.sign, "rsa-sha256", "text", "x")
  fails("no private key in PEM", crypto.sign, "rsa-sha256", keys.rsa_public, "x")
  fails("no private key in PEM without a password", crypto.sign, "ecdsa-sha256", keys.locked, "x")
  fails("of another kind", crypto.sign, "rsa-sha256", keys.ec, "x")
  fails("of another kind", crypto.verify, "rsa-sha256", views.secret.new("EC_PUBLIC", "RSA_PUBLIC"), "x", "y")
  fails("no public key or certificate", crypto.verify, "rsa-sha256", keys.rsa, "x", "y")
  fails("from 2048 to 8192 bits", crypto.verify, "rsa-sha256", keys.small_public, "x", "y")
  fails("no private key in PEM", crypto.sign, "rsa-sha256", ("x"):rep(16385), "x")
  fails("the encoding is", crypto.sign, "rsa-sha256", keys.rsa, "x", "base32")
  fails("the data is text", crypto.sign, "rsa-sha256", keys.rsa, {})
  fails('secret "GONE" is not set', crypto.sign, "rsa-sha256", views.secret.new "GONE", "x")
end

local function shown(rows)
  return views.json.encode(rows)
end

function spec.csv_as_rfc_4180()
  is(shown(csv.parse "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"), '[["aaa","bbb","ccc"],["zzz","yyy","xxx"]]')
  is(shown(csv.parse "aaa,bbb"), '[["aaa","bbb"]]', "the last line may lack its end")
  is(shown(csv.parse '"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx'), '[["aaa","b\\r\\nbb","ccc"],["zzz","yyy","xxx"]]')
  is(shown(csv.parse '"aaa","b""bb","ccc"'), '[["aaa","b\\"bb","ccc"]]')
  is(shown(csv.parse ' a ,,""\n'), '[[" a ","",""]]', "spaces belong to the field")
end

function spec.csv_with_names_and_other_separators()
  is(shown(csv.parse("id;name\n7;Ann\n\n8;\n", { header = true, separator = ";" })), '[{"id":"7","name":"Ann"},{"id":"8","name":""}]')
  is(shown(csv.parse("a\tb", { separator = "\t" })), '[["a","b"]]')
  is(shown(csv.parse("a^b.c", { separator = "^" })), '[["a","b.c"]]')
  is(shown(csv.parse "\239\187\191a,b"), '[["a","b"]]')
  is(shown(csv.parse ""), "[]")
  is(shown(csv.parse("", { header = true })), "[]")
  is(shown(csv.parse("\n\n", { header = false })), "[]")
  is(csv.encode({ { 1, "a b", 'say "hi"' }, { true, views.null, "x,y" } }), '1,a b,"say ""hi"""\r\ntrue,,"x,y"\r\n')
  is(csv.encode({ { id = 7, name = " Ann" } }, { header = { "id", "name", "gone" }, separator = ";" }), 'id;name;gone\r\n7;" Ann";\r\n')
  is(csv.encode(views.json.decode '[{"n":12345678901234567}]', { header = { "n" } }), "n\r\n12345678901234567\r\n")
  is(csv.encode {}, "")
end

function spec.csv_that_is_none()
  fails("csv.parse: row 2: a quote is never closed", csv.parse, 'a\n"b')
  fails("row 1: something stands behind a closing quote", csv.parse, '"a"b')
  fails("row 1: a field with a quote in it", csv.parse, 'a"b')
  fails("row 1: something stands behind a closing quote", csv.parse, '"a"\rb')
  fails("row 3: 1 fields, and the header has 2", csv.parse, "a,b\n1,2\n3", { header = true })
  fails("two columns are called 'a'", csv.parse, "a,a\n", { header = true })
  fails("has no name", csv.parse, "a,\n", { header = true })
  fails("wants text, got a table", csv.parse, {})
  fails("no option 'delimiter'", csv.parse, "", { delimiter = ";" })
  fails("separator is one character", csv.parse, "", { separator = ";;" })
  fails("header is true or false", csv.parse, "", { header = { "a" } })
  fails("header is a list of names", csv.encode, {}, { header = true })
  fails("csv.encode: row 1: a table is no value", csv.encode, { { {} } })
  fails("a secret is no value of a cell", csv.encode, { { views.secret.new "S" } })
  fails("write header = ", csv.encode, { { a = 1 } })
  fails("row 1: a row is a list", csv.encode, { 1 })
  is(#csv.parse(("a,"):rep(999) .. "b")[1], 1000)
  fails("more than 1000 fields", csv.parse, ("a,"):rep(1000) .. "b")
  is(#csv.parse(("a\n"):rep(100000)), 100000)
  fails("more than 100000 rows", csv.parse, ("a\n"):rep(100001))
end

function spec.csv_there_and_back()
  local marks = { '"', ",", ";", "\r", "\n", " ", "a", "\0", "\255", "" }
  for _ = 1, 300 do
    local row = {}
    for i = 1, math.random(1, 5) do
      local field = {}
      for j = 1, math.random(0, 6) do field[j] = marks[math.random(#marks)] end
      row[i] = table.concat(field)
    end
    row[#row + 1] = "end"
    local back = csv.parse(csv.encode { row })[1]
    is(#back, #row)
    for i, field in ipairs(row) do is(back[i], field) end
  end
end

function spec.addresses_in_ranges()
  is(ip.in_range("10.1.2.3", "10.0.0.0/8"), true)
  is(ip.in_range("11.1.2.3", "10.0.0.0/8"), false)
  is(ip.in_range("2001:db8::7", { "10.0.0.0/8", "2001:db8::/32" }), true)
  is(ip.in_range("192.0.2.7", "192.0.2.7"), true)
  is(ip.in_range("nonsense", "0.0.0.0/0"), false)
  is(ip.in_range(nil, "0.0.0.0/0"), false)
  is(ip.in_range("10.0.0.1", {}), false)
  fails("'10.0.0.0/33' is not an address", ip.in_range, "10.0.0.1", "10.0.0.0/33")
  fails("'x' is not an address", ip.in_range, "10.0.0.1", { "10.0.0.0/8", "x" })
  fails("wants a range", ip.in_range, "10.0.0.1")
  fails("wants an address", ip.in_range, 7, "10.0.0.0/8")
end

return spec
