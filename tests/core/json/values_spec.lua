-- What views, exact integers and json.null are to Lua: every row of rules.md 10. Run by test_views.c.
-- luacheck: read globals it once is fails open lend foreign collect open_documents json secret
-- luacheck: read globals get set merge pick omit copy map filter
local body = open([[ {"pusher":{"name":"ann"},"empty":[],"none":{},"gone":null,"ok":false,"id":9007199254740993,
 "chat":123456789012345,
 "huge":18446744073709551615,"low":-9223372036854775808,"beyond":18446744073709551616,"far":1E400,"frac":0.5,"minus":-7,
 "commits":[{"message":"one\ntwo"},{"message":"x"}],"tags":["a",null,"c"],"n":19.90,"dup":1,"dup":2,
 "zero":"a\u0000b","half":"\ud83d!","face":"\ud83d\ude00","a.b":1,"r\u00e9":2} ]])

it("looks things up as a table would", function()
  is(type(body), "table")
  is(body.pusher.name, "ann")
  is(body.absent, nil)
  is(body.gone, nil)
  is(body.gone or "default", "default")
  is(body.ok, false)
  is(#body.commits, 2)
  is(#body.empty, 0)
  is(#body.none, 0)
  is(#body.tags, 3)
  is(#body, 0)
  is(body.commits[1].message, "one\ntwo")
  is(body.commits[0], nil)
  is(body.commits[-1], nil)
  is(body.commits[3], nil)
  is(body.commits[1.5], nil)
  is(body.commits["1"], nil)
  is(body[1], nil)
  is(body[true], nil)
  is(body.tags[2], nil)
  is(body["a.b"], 1)
  is(body["ré"], 2)
  is(next(body.none), nil)
  is(next(body.empty), nil)
  is(body.dup, 2)
  is(body.n, 19.9)
  is(body.frac, 0.5)
  is(body.minus, -7)
end)

it("decodes strings", function()
  is(body.zero, "a\0b")
  is(body.half, "\239\191\189!")
  is(body.face, "\240\159\152\128")
end)

it("compares places", function()
  is(body.pusher == body.pusher, true)
  is(body.commits[1] == body.commits[1], true)
  is(body.commits[1] == body.commits[2], false)
  is(body.pusher == nil, false)
  is(body.gone == json.null, false)
  is(body == open "{}", false)
end)

it("lists nulls and duplicates in the order of the text", function()
  local seen = {}
  for i, v in ipairs(body.tags) do seen[i] = v end
  is(#seen, 3)
  is(seen[2], json.null)
  is(tostring(seen[2]), "null")
  is(type(json.null), "null")
  local keys = {}
  for k in pairs(body) do keys[#keys + 1] = k end
  is(table.concat(keys, " "),
    "pusher empty none gone ok id chat huge low beyond far frac minus commits tags n dup dup zero half face a.b ré")
  for k, v in pairs(open '{"x":null}') do is(k, "x") is(v, json.null) end
  local list = {}
  for i, v in pairs(body.tags) do list[i] = v end
  is(list[3], "c")
  for _ in ipairs(body.pusher) do error "an object has no elements" end
  for _ in ipairs(body.empty) do error "nothing is in it" end
end)

it("steps with next", function()
  local key, value = next(body.pusher)
  is(key, "name")
  is(value, "ann")
  is(next(body.pusher, "name"), nil)
  is(next(body.tags), 1)
  is(select(2, next(body.tags, 1)), json.null)
  is(next(body.tags, 3), nil)
  local turns, at = 0, nil
  repeat
    at = next(body, at)
    turns = turns + 1
  until at == nil or turns > 100
  is(turns <= 100, true)
  fails("invalid key to 'next'", function() return next(body, "no such") end)
end)

it("walks a long array by its index and by nested indexes", function()
  local parts = {}
  for i = 1, 300 do parts[i] = "[" .. i .. "," .. -i .. "]" end
  local list, sum = json.decode("[" .. table.concat(parts, ",") .. "]"), 0
  for i = 1, #list do
    for j = 1, #list[i] do sum = sum + list[i][j] * j end
  end
  is(sum, -300 * 301 / 2)
  is(list[7][1], 7)
  is(list[299][2], -299)
  is(list[2][1], 2)
end)

it("has exact integers", function()
  is("id " .. body.id, "id 9007199254740993")
  is(body.id .. "/" .. body.id, "9007199254740993/9007199254740993")
  is(1 .. body.id, "19007199254740993")
  is(body.chat .. "", "123456789012345")
  is(tostring(body.huge), "18446744073709551615")
  is(tostring(body.low), "-9223372036854775808")
  is(("%s/%d"):format(body.id, body.id), "9007199254740993/9007199254740993")
  is(("%d|%5.1f|%s|%%"):format(body.huge, body.chat, body.low), "18446744073709551615|123456789012345.0|-9223372036854775808|%")
  is(body.chat == 123456789012345, true)
  is(body.chat == 123456789012345.5, false)
  is(body.chat == "123456789012345", false)
  is(body.chat == nil, false)
  is(body.chat > 5, true)
  is(body.chat < 5, false)
  is(5 < body.chat, true)
  is(body.chat <= 123456789012345, true)
  is(body.chat < 123456789012345.5, true)
  is(123456789012344.5 < body.chat, true)
  is(body.huge > -1, true)
  is(body.low < body.huge, true)
  is(body.huge > body.low, true)
  is(body.low == body.huge, false)
  is(body.huge < 1e300, true)
  is(body.low > -1e300, true)
  is(body.huge == 0 / 0, false)
  is(body.huge <= 0 / 0, false)
  is(body.huge >= 0 / 0, false)
  is(body.id == 9007199254740993LL, true)
  is(body.chat / 1e3, 123456789012.345)
  is(body.chat + 1, 123456789012346)
  is(1 - body.chat, -123456789012344)
  is(body.chat % 10, 5)
  is(-body.chat, -123456789012345)
  is(type(body.id), "number")
  is(tonumber(body.id), 9007199254740992)
  is(tonumber "0x10", 16)
  is(tonumber("ff", 16), 255)
  local t = { [body.id] = "x" }
  is(t[body.id], "x")
  is(table.concat({ body.id, 1, "a" }, ","), "9007199254740993,1,a")
  fails("beyond 2%^53", function() return body.id + 1 end)
  fails("beyond 2%^53", function() return -body.huge end)
  fails("compare", function() return body.id < "1" end)
  fails("arithmetic", function() return body.chat + body.pusher end)
end)

it("passes on what is beyond 64 bits", function()
  is(type(body.beyond), "number")
  is(tostring(body.beyond), "18446744073709551616")
  is("n" .. body.beyond .. "!", "n18446744073709551616!")
  is(json.encode { body.beyond, body.far }, "[18446744073709551616,1E400]")
  is(("%d %s"):format(body.beyond, body.far), "18446744073709551616 1E400")
  is(table.concat({ body.beyond }, ""), "18446744073709551616")
  is(body.beyond == body.beyond, true)
  fails("beyond 64 bits", function() return body.beyond + 1 end)
  fails("beyond 64 bits", function() return body.beyond < body.far end)
  fails("beyond 64 bits", function() return tonumber(body.beyond) end)
  fails("beyond 64 bits", function() return body.beyond.x end)
end)

it("is read-only and no text", function()
  fails("a view is read%-only: copy%(v%) gives a table to change, merge and set give a changed view", function() body.x = 1 end)
  fails("read%-only", function() table.insert(body.tags, "x") end)
  fails("read%-only", function() table.sort(body.tags) end)
  fails("read%-only", function() table.remove(body.tags) end)
  fails("an object or array cannot be joined to text: name a field, or use json.encode%(v%)", function()
    return "a" .. body.pusher
  end)
  fails("cannot be joined", function() return body.pusher .. 1 end)
  fails("cannot be joined", function() return table.concat { "a", body.pusher } end)
  fails("no number", function() return body.pusher + 1 end)
  fails("compare", function() return body.pusher < 1 end)
  fails("name a field", function() return body.pusher < body.commits end)
  fails("nil value", function() return body.absent.x end)
  fails("nil value", function() return body.gone.x end)
  fails("null", function() return json.null.x end)
  fails("null", function() return json.null .. "" end)
end)

it("shows its bytes as they came", function()
  is(tostring(body.commits[2]), '{"message":"x"}')
  is(("%s"):format(body.commits[2]), '{"message":"x"}')
  is(json.encode(body.commits[2]), '{"message":"x"}')
  is(json.encode { x = open "[ 1.50, 2 ]" }, '{"x":[ 1.50, 2 ]}')
end)

it("joins and unpacks arrays", function()
  is(table.concat(open '["a",1,"c",123456789012345678]', ", "), "a, 1, c, 123456789012345678")
  is(table.concat(open '["a","b","c"]', "-", 2), "b-c")
  is(table.concat(open "[]"), "")
  fails("item 2: a null cannot be joined", function() return table.concat(body.tags, ",") end)
  is((unpack(body.tags)), "a")
  is(select("#", unpack(body.tags)), 3)
  is(select(2, unpack(body.tags)), json.null)
  is(select("#", unpack(body.tags, 2, 5)), 4)
  is(select("#", unpack(body.none)), 0)
  fails("too many results", function() return unpack(body.tags, 1, 1e9) end)
end)

it("leaves plain tables to Lua", function()
  local sum, t = 0, { 1, 2, 3, x = 4 }
  for _, v in ipairs(t) do sum = sum + v end
  for _, v in pairs(t) do sum = sum + v end
  is(sum, 16)
  table.insert(t, 4)
  table.insert(t, 1, 0)
  is(table.concat(t, ","), "0,1,2,3,4")
  is(table.remove(t), 4)
  table.sort(t, function(a, b) return a > b end)
  is(table.concat(t), "3210")
  is(select("#", unpack { 1, 2 }), 2)
  is(next {}, nil)
  is(("%05.1f|%s|%q"):format(3.14159, true, "x"), '003.1|true|"x"')
  is(type(nil), "nil")
  fails("value expected", function() return type() end)
  fails("item 2: a nil cannot be joined", function() return table.concat({ 1, nil, 3 }, ",", 1, 3) end)
end)

it("walks userdata of other modules by their metafield", function()
  local seen = {}
  for k, v in pairs(foreign) do seen[k] = v end
  is(seen.a, 1)
  is(type(foreign), "headers")
  fails("a headers, which JSON does not know", function() return json.encode { x = foreign } end)
  fails("pairs wants a table or a view, got a null", function() return pairs(json.null) end)
end)

it("tells a view that outlived its event", function()
  local kept, text, list, integer = lend '{"a":{"b":1},"list":[1,2]}'
  is(text, 1)
  local ended = "this body belongs to event 00000000%-0000%-0000%-0000%-000000000096, which has ended: keep copy%(v%)"
  fails(ended, function() return kept.a end)
  fails(ended, function() return #kept end)
  fails(ended, function() return tostring(kept) end)
  fails(ended, function() return pairs(kept) end)
  fails(ended, function() return next(kept) end)
  fails(ended, function() return json.encode(kept) end)
  fails(ended, function() return json.encode { x = { kept } } end)
  fails(ended, function() return copy(kept) end)
  fails(ended, function() return merge(kept, {}) end)
  fails(ended, function() return get(kept, "a") end)
  fails(ended, function() return ipairs(list) end)
  is(type(kept), "table")
  is(integer, 123456789012345)
end)
