-- get, set, merge, pick, omit, copy, map, filter, and the writer. Run by test_views.c.
-- luacheck: read globals it once is fails open lend foreign collect open_documents json secret
-- luacheck: read globals get set merge pick omit copy map filter
local text = '{ "a": 1.50, "b": {"c": [1, 2.0, {"d": null}] , "e":"x"}, "big": 12345678901234567890123, "z":[] }'
local v = open(text)

it("gets along a path", function()
  is(get(v, "b.c[3].d", "default"), "default")
  is(get(v, "b.e"), "x")
  is(get(v, "b.c[2]"), 2)
  is(get(v, "b.c[9]", 7), 7)
  is(get(v, "a.b.c"), nil)
  is(get(v, '["b"].e'), "x")
  is(get({ t = { v } }, "t[1].b.e"), "x")
  is(get({ t = json.null }, "t", 5), 5)
  is(get(nil, "x", 5), 5)
  is(get("text", "x", 5), 5)
  fails("get: 'a..b' is not a path", function() return get(v, "a..b") end)
  fails("get wants a path", function() return get(v) end)
  fails("many places", function() return get(v, "b.c[*]") end)
end)

it("sets one place and keeps every other byte", function()
  is(tostring(set(v, "b.e", "y")), (text:gsub('"x"', '"y"')))
  is(tostring(set(v, "a", 2)), (text:gsub("1.50", "2")))
  is(tostring(set(v, "b.c[2]", json.null)), (text:gsub("2.0", "null")))
  is(tostring(set(v, "b.c[3].d", { x = 1 })), (text:gsub('"d": null', '"d": {"x":1}')))
  is(tostring(set(v, "b.c[3].d.x.y", 1)), (text:gsub('"d": null', '"d": {"x":{"y":1}}')))
  is(tostring(set(v, "z[1]", v.b.c)), (text:gsub("%[%] }", "[[1, 2.0, {\"d\": null}]] }")))
  is(tostring(set(open "{}", "x", 1)), '{"x":1}')
  is(tostring(set(open "{ }", "x.y[1]", 1)), '{"x":{"y":[1]} }')
  is(tostring(set(open "[1 ]", "[2]", 2)), "[1,2 ]")
  is(tostring(set(open '{"a":1,"a":2}', "a", 3)), '{"a":1,"a":3}')
  is(tostring(v), text)
  fails("set: 'b.c%[9%]': the index is beyond the end", function() return set(v, "b.c[9]", 1) end)
  fails("set: 'b.c.x': a name leads into an array", function() return set(v, "b.c.x", 1) end)
  fails("set: 'b%[1%]': an index leads into an object", function() return set(v, "b[1]", 1) end)
  fails("set: 'a.x': something on the way", function() return set(v, "a.x", 1) end)
  fails("json.null writes null", function() return set(v, "a", nil) end)
  fails("many places", function() return set(v, "b.c[*]", 1) end)
  fails("is not a path", function() return set(v, "", 1) end)
  fails("value.x is NaN", function() return set(v, "a", { x = 0 / 0 }) end)
  fails("set wants an object or array, got nil", function() return set(nil, "a", 1) end)
  fails("set: .*is a secret, which only a message can hold", function() return set(v, "a", secret "S") end)
end)

it("sets in plain tables", function()
  local t = { a = { b = 1 }, list = { 1, 2 }, v = v }
  is(json.encode(set(t, "a.c", 2).a), '{"b":1,"c":2}')
  is(json.encode(set(t, "list[3]", 3).list), "[1,2,3]")
  is(json.encode(set(t, "new.x[1]", 3).new), '{"x":[3]}')
  is(set(t, "v.b.e", "y").v.b.e, "y")
  is(t.a.c, nil)
  is(#t.list, 2)
  is(type(set(t, "token", secret "S").token), "secret")
  fails("beyond the end", function() return set(t, "list[4]", 3) end)
  fails("a name leads into an array", function() return set(t, "list.x", 3) end)
  fails("something on the way", function() return set(t, "a.b.c", 3) end)
end)

it("merges what a sender has made wide without a search for each member", function() -- that would take minutes
  local same = ('"a":1,'):rep(150000)
  is(tostring(merge(open('{' .. same .. '"b":1}'), { a = 2, c = 3 })), '{' .. same:sub(1, -3) .. '2,"b":1,"c":3}')
  local names = {}
  for i = 1, 100000 do names[i] = ('"%d":'):format(i) end
  local wide = open('{' .. table.concat(names, "1,") .. "1}")
  is(tostring(merge(wide, wide)), tostring(wide))
end)

it("merges into objects at every depth", function()
  is(tostring(merge(v, { a = 2, b = { e = json.null, f = 1 } })),
    '{ "a": 2, "b": {"c": [1, 2.0, {"d": null}] , "e":null,"f":1}, "big": 12345678901234567890123, "z":[] }')
  is(tostring(merge(v, {})), text)
  is(tostring(merge(v, { b = {} })), text)
  is(tostring(merge(v, { b = { c = { 1 } } })), (text:gsub("%[1, 2.0, .-%]", "[1]")))
  is(tostring(merge(open "{}", { b = 1, a = 2 })), '{"a":2,"b":1}')
  is(tostring(merge(open '{"a":1,"a":{"x":1}}', { a = { y = 2 } })), '{"a":1,"a":{"x":1,"y":2}}')
  is(tostring(merge(open '{"a":1}', open '{ "b" : 1.0 , "a":2, "b":[ ] }')), '{"a":2,"b":[ ]}')
  is(tostring(merge(open '{"r\\u00e9":1}', { ["ré"] = 2 })), '{"r\\u00e9":2}')
  is(json.encode(merge({ a = { x = 1 }, l = { 1, 2 } }, { a = { y = 2 }, l = { 3 } })), '{"a":{"x":1,"y":2},"l":[3]}')
  is(json.encode(merge({ u = v.b }, { u = { e = "n" } })), '{"u":{"c": [1, 2.0, {"d": null}] , "e":"n"}}')
  is(type(merge({ a = 1 }, { token = secret "S" }).token), "secret")
  local base = { a = { x = 1 } }
  merge(base, { a = { y = 2 } }).a.x = 5
  is(base.a.x, 1)
  is(base.a.y, nil)
  is(tostring(merge(open '{"\\u0062":1,"b":2,"a":3}', open '{"\\u0061":4,"\\u0062":5,"\\u0063":6,"c":7}')),
    '{"\\u0062":1,"b":5,"a":4,"c":7}')
  fails("merge wants two objects", function() return merge(v, { 1, 2 }) end)
  fails("merge wants an object or array, got nil", function() return merge(v.absent, {}) end)
  fails("merge: changes.f is a function", function() return merge(v, { f = print }) end)
end)

it("picks and omits by as many paths as do not take long", function()
  local wide = open("[" .. ("1,"):rep(2 ^ 16 - 2) .. "1]") -- 65536 values with the list itself
  local paths = {}
  for i = 1, 1024 do paths[i] = ("[%d]"):format(i) end
  is(#pick(wide, paths), 1024)
  is(#omit(wide, paths), 2 ^ 16 - 1 - 1024)
  paths[1025] = "[1025]"
  fails("pick: 1025 paths through a document of 65536 values, at most 1024 there", function() return pick(wide, paths) end)
  fails("omit: 1025 paths through a document of 65536 values, at most 1024 there", function() return omit(wide, paths) end)
end)

it("picks", function()
  is(tostring(pick(v, "a")), '{ "a": 1.50 }')
  is(tostring(pick(v, { "big", "b.e" })), '{ "b": {"e":"x"}, "big": 12345678901234567890123 }')
  is(tostring(pick(v, { "z", "b.c[2]" })), '{ "b": {"c": [2.0]}, "z":[] }')
  is(tostring(pick(v, "nothing.here")), "{}")
  is(tostring(pick(open '{"l":[{"a":1,"b":2},{"b":3},4]}', "l[*].a")), '{"l":[{"a":1},{}]}')
  is(tostring(pick(open '{"a":1,"a":2}', "a")), '{"a":2}')
  is(json.encode(pick({ a = 1, b = { c = 2, d = 3 }, l = { { x = 1, y = 2 }, { x = 3 } } }, { "b.c", "l[*].x" })),
    '{"b":{"c":2},"l":[{"x":1},{"x":3}]}')
  is(json.encode(pick({ u = v }, { "u.b.e", "w.x" })), '{"u":{ "b": {"e":"x"} }}')
  fails("pick: 'a..b' is not a path", function() return pick(v, "a..b") end)
  fails("pick wants a path or a list of paths, got nil", function() return pick(v) end)
end)

it("omits", function()
  is(tostring(omit(v, "a")), '{ "b": {"c": [1, 2.0, {"d": null}] , "e":"x"}, "big": 12345678901234567890123, "z":[] }')
  is(tostring(omit(v, { "big", "z" })), '{ "a": 1.50, "b": {"c": [1, 2.0, {"d": null}] , "e":"x"} }')
  is(tostring(omit(v, { "b.c[1]", "b.c[3].d" })), (text:gsub("%[1, 2.0, .-%]", "[2.0, {}]")))
  is(tostring(omit(v, "b.c[*]")), (text:gsub("%[1, 2.0, .-%]", "[]")))
  is(tostring(omit(v, "nothing.here")), text)
  is(tostring(omit(open '{"a":1,"b":2,"a":3}', "a")), '{"b":2}')
  is(tostring(omit(open '{ "a":1 , "b":2 , "c":3 }', { "a", "c" })), '{ "b":2 }')
  is(tostring(omit(open "[1,2,3,4]", { "[1]", "[3]" })), "[2,4]")
  is(json.encode(omit({ a = 1, b = { c = 2, d = 3 }, l = { 1, 2, 3 } }, { "b.c", "l[2]" })), '{"a":1,"b":{"d":3},"l":[1,3]}')
  is(json.encode(omit({ u = v.b }, "u.c")), '{"u":{"e":"x"}}')
  is(json.encode(omit({ l = { { a = 1, b = 2 } } }, "l[*].a")), '{"l":[{"b":2}]}')
end)

it("copies to plain tables", function()
  local t = copy(v)
  is(t.b.c[3].d, json.null)
  t.b.c[#t.b.c + 1] = "new"
  t.z[1] = 1
  is(json.encode(t), '{"a":1.5,"b":{"c":[1,2,{"d":null},"new"],"e":"x"},"big":12345678901234567890123,"z":[1]}')
  is(json.encode(copy(open '{"e":[],"o":{}}')), '{"e":[],"o":{}}')
  is(copy "text", "text")
  is(copy(nil), nil)
  local own = { x = { 1 } }
  local other = copy(own)
  other.x[1] = 2
  is(own.x[1], 1)
  local loop = {}
  loop.loop = loop
  fails("copy: nested deeper than 128", function() return copy(loop) end)
end)

it("maps and filters lists", function()
  is(json.encode(map(open '[1,null,{"a":1.0}]', function(x, i) return i == 1 and "one" or x end)), '["one",null,{"a":1.0}]')
  is(json.encode(filter(open "[1,null,3]", function(x) return x ~= json.null end)), "[1,3]")
  is(json.encode(filter({ 1, 2 }, function() return false end)), "[]")
  is(json.encode(map(open "{}", print)), "[]")
  fails("map: the function gave nil for item 1", function() return map({ 1 }, function() end) end)
  fails("map wants a list, got an object", function() return map(v, print) end)
  fails("filter wants a list, got nil", function() return filter(nil, print) end)
end)

it("marks arrays", function()
  local list = json.array {}
  is(json.encode(list), "[]")
  is(json.encode {}, "{}")
  list[#list + 1] = "a"
  list[#list + 1] = "b"
  is(#list, 2)
  is(json.encode { x = list }, '{"x":["a","b"]}')
  is(type(list), "table")
  is(json.array(v.z) == v.z, true)
  fails("json.array wants a list", function() return json.array(v) end)
  fails("json.array wants a list", function() return json.array() end)
end)

it("writes keys sorted and numbers short", function()
  is(json.encode { b = 1, a = { 1, 2.5, "x", true, false }, ["ä"] = 1e300, [""] = 0 },
    '{"":0,"a":[1,2.5,"x",true,false],"b":1,"ä":1e+300}')
  is(json.encode(123456789012345LL), "123456789012345")
  is(json.encode(18446744073709551615ULL), "18446744073709551615")
  is(json.encode(9007199254740992), "9007199254740992")
  is(json.encode(-0.1), "-0.1")
  is(json.encode "tab\t\"q\" \1 é", '"tab\\t\\"q\\" \\u0001 é"')
  is(json.encode(nil), "null")
  is(json.encode(json.null), "null")
end)

it("names the place of what it cannot write", function()
  local cases = {
    { { items = { 1, 2, { price = 0 / 0 } } }, "value.items%[3%].price is NaN" },
    { { ["a b"] = 1 / 0 }, 'value%["a b"%] is infinite' },
    { { f = print }, "value.f is a function" },
    { { 1, 2, x = 3 }, "value has both names and numbers" },
    { { x = { 1, nil, 3, [7] = 7 } }, "value.x has holes: an array has all of 1 to 7" },
    { { [1.5] = 1 }, "value has 1.5 as a key" },
    { { [0] = 1 }, "value has 0 as a key" },
    { { [true] = 1 }, "value has a boolean as a key" },
    { { x = { [v.b] = 1 } }, "value.x has a userdata as a key" },
    { { s = "\255" }, "value.s is not UTF%-8" },
    { { ["\255"] = 1 }, "a name that is not UTF%-8" },
    { { t = secret "TOKEN" }, "value.t is a secret, which only a message can hold" },
    { { 1i }, "value%[1%] is a number that JSON does not know" },
  }
  for _, case in ipairs(cases) do fails("json.encode: .*" .. case[2], function() return json.encode(case[1]) end) end
  local loop = { x = {} }
  loop.x.y = loop
  fails("value.x.y contains itself", function() return json.encode(loop) end)
  local list = json.array { 1 }
  list.x = 1
  fails("both names and numbers", function() return json.encode(list) end)
  fails("value expected", function() return json.encode() end)
end)

once("writes nesting of 128 and refuses 129", function()
  local function nested(depth)
    local t = json.array {}
    for _ = 2, depth do t = { t } end
    return t
  end
  is(#json.encode(nested(128)), 256)
  fails("nested deeper than 128", function() return json.encode(nested(129)) end)
  fails("set: the result is nested deeper than 128", function() return set(json.decode '{"a":1}', "a", nested(128)) end)
end)

once("stops at 16 MiB however the tables share", function()
  local t = { ("x"):rep(1000) }
  for _ = 1, 100 do t = { t, t } end
  fails("larger than 16 MiB", function() return json.encode(t) end)
end)

it("decodes", function()
  is(json.decode '{"a":[1]}'.a[1], 1)
  is(json.decode "12", 12)
  is(json.decode '"x\\n"', "x\n")
  is(json.decode "false", false)
  is(json.decode "null", nil)
  is(json.decode "123456789012345678" .. "", "123456789012345678")
  local value, why = json.decode '{"a" 1}'
  is(value, nil)
  is(why, "expected ':' at byte 5")
  fails("string expected", function() return json.decode {} end)
  fails("string expected", function() return json.decode(5) end)
end)

once("decodes up to 16 MiB", function()
  is(select(2, json.decode((" "):rep(16 * 1024 * 1024 + 1))), "longer than 16 MiB")
  is(json.decode((" "):rep(16 * 1024 * 1024 - 1) .. "1"), 1)
end)

once("keeps a decoded document for as long as a view of it lives", function()
  local kept = {}
  for i = 1, 50 do
    local doc = json.decode('{"i":' .. i .. ',"in":{"list":[1,{"x":"' .. i .. '"}]}}')
    kept[i] = doc["in"].list[2]
  end
  collect()
  for i = 1, 50 do is(kept[i].x, tostring(i)) end
  is(open_documents() >= 50, true)
  local before = open_documents()
  for i = 1, 50 do kept[i] = nil end
  collect()
  is(open_documents() <= before - 50, true)
  for _, item in pairs(json.decode '{"a":{"b":1},"c":{"b":2}}') do
    collect()
    is(type(item.b), "number")
  end
  for _, item in ipairs(json.decode '[[1],[2]]') do
    collect()
    is(#item, 1)
  end
end)

once("has secrets that never become text", function()
  local s = secret "TOKEN"
  is(tostring(s), "secret:TOKEN")
  is(type(s), "secret")
  is(type("Bearer " .. s), "secret")
  is(tostring("Bearer " .. s .. "/" .. 7 .. "!"), "Bearer secret:TOKEN/7!")
  is(tostring(s .. s), "secret:TOKENsecret:TOKEN")
  is(tostring(secret("NEW", "OLD")), "secret:NEW")
  fails('string.format cannot take a secret: write "Bearer " .. secret "NAME"', function() return ("%s"):format(s) end)
  fails("table.concat: item 2: a secret stays one", function() return table.concat { "a", s } end)
  fails("json.encode: value is a secret", function() return json.encode(s) end)
  fails("opaque", function() return s.value end)
  fails("opaque", function() return s:upper() end)
  fails("opaque", function() return #s end)
  fails("opaque", function() return s < s end)
  fails("opaque", function() s.x = 1 end)
  fails("joined with text only", function() return s .. {} end)
  fails("joined with text only", function() return s .. v end)
  fails("at most 65536 bytes", function() return s .. ("x"):rep(65536) end)
  fails("one to 8 names", function() return secret() end)
end)

it("gives errors the line of the rule", function()
  for _, f in ipairs {
    function() v.x = 1 end,
    function() return (merge(v, { f = print })) end,
    function() return (merge({ v = v }, { v = { f = print } })) end,
    function() return (json.encode { f = print }) end,
    function() return (set(v, "a..", 1)) end,
    function() return (set({}, "a[5]", 1)) end,
    function() return (omit(v, "a..")) end,
    function() return (pick(nil, "a")) end,
    function() return (copy(v).a + {}) end,
    function() return (table.concat { {} }) end,
    function() return (("%s"):format(secret "S")) end,
    function() return (map(nil, print)) end,
    function() return (get(v, "..")) end,
    function() table.insert(v, 1) end,
    function() return v.a + v end,
    function() return (pairs(json.null)) end,
  } do
    local _, why = pcall(f)
    is(why:match "^changes_spec.lua:%d+: " ~= nil, true, why)
    is(why:find "words" == nil, true, why)
  end
end)
