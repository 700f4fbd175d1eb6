-- The matchers of test files, over everything that a rule can hand out.
local expect = require "tidewire.trial.expect"
local json = require("tidewire.views").json
local secret = require("tidewire.views").secret

local word = expect.word(function() return "rules/a_test.lua", 7 end)

local function holds(got, matcher, ...)
  local it = word(got)
  it[matcher](it, ...)
end

--- What an expectation that is not met raises.
local function broken(got, matcher, ...)
  local it = word(got)
  local ok, why = pcall(it[matcher], it, ...)
  assert(not ok, "it was met")
  return why
end

local function says(why, pattern)
  local text = type(why) == "table" and why.message or why
  assert(text:find(pattern, 1, true), ("%s, not %s"):format(text, pattern))
end

local function differs(why, n, path, want, got)
  local one = why.differences[n]
  assert(one and one.path == path and one.want == want and one.got == got,
    one and ("%s: %s, %s"):format(one.path, one.want, one.got) or "no difference")
end

local spec = {}

function spec.is_compares_scalars_by_kind_and_value()
  holds(1, "is", 1)
  holds("a", "is", "a")
  holds(nil, "is", nil)
  holds(9007199254740993LL, "is", 9007199254740993LL)
  holds(json.decode "5", "is", 5LL)
  for _, pair in ipairs { { 1, "1" }, { 1, 2 }, { true, "true" }, { 9007199254740993LL, 9007199254740992LL }, { 1LL, "1" },
    { "a", 1LL }, { false, 0 } } do
    differs(broken(pair[1], "is", pair[2]), 1, "", expect.show(pair[2]), expect.show(pair[1]))
  end
  differs(broken(nil, "is", "x"), 1, "", '"x"', "nothing (nil)")
end

function spec.is_compares_tables_and_views_at_every_depth()
  local view = json.decode '{"a":{"b":[1,null,{"c":"x"}]},"n":null}'
  holds(view, "is", { a = { b = { 1, json.null, { c = "x" } } }, n = json.null })
  holds({ a = { 1, 2 } }, "is", json.decode '{"a":[1,2]}')
  holds({}, "is", json.decode "[]")
  holds(json.decode '{"n":null}', "is", json.decode '{"n":null}')
  local why = broken(view, "is", { a = { b = { 2, json.null, {} } }, more = true })
  differs(why, 1, ".a.b[1]", "2", "1")
  differs(why, 2, ".a.b[3].c", "nothing (nil)", '"x"')
  differs(why, 3, ".more", "true", "nothing (nil)")
  differs(why, 4, ".n", "nothing (nil)", "json.null")
  assert(why.expectation and why.file == "rules/a_test.lua" and why.line == 7)
end

function spec.like_looks_only_at_what_is_given()
  local view = json.decode '{"a":{"b":1,"c":2},"odd key":[1,2,3],"n":null}'
  holds(view, "like", { a = { c = 2 } })
  holds(view, "like", { ["odd key"] = { 1, 2 }, n = json.null, gone = json.null })
  holds({ 1, 2 }, "like", {})
  differs(broken(view, "like", { ["odd key"] = { 1, 3 } }), 1, '["odd key"][2]', "3", "2")
  differs(broken("text", "like", { a = 1 }), 1, "", "{ a = 1 }", '"text"')
end

function spec.contains_finds_text_and_elements()
  holds("one two", "contains", "e t")
  holds("a.b", "contains", ".")
  holds({ "a", { b = 1, c = 2 } }, "contains", { b = 1 })
  holds(json.decode '[{"id":1},{"id":2,"x":3}]', "contains", { id = 2 })
  says(broken("one", "contains", "two"), "does not contain")
  says(broken({ 1 }, "contains", 2), "contains nothing like")
  says(broken(5, "contains", 5), ":contains looks into tables and lists, and this is 5")
end

function spec.has_counts()
  holds({}, "has", 0)
  holds({ 1, 2 }, "has", 2)
  holds({ a = 1, b = 2 }, "has", 2)
  holds(json.decode "[null,null]", "has", 2)
  holds(json.decode '{"a":null}', "has", 1)
  holds("abc", "has", 3)
  differs(broken({ "x" }, "has", 2), 1, "", "2", '1: { "x" }')
  says(broken({}, "has", "2"), "write :has(n) with a number")
  says(broken(nil, "has", 1), "this is nothing (nil)")
end

function spec.fails_wants_an_error_and_its_words()
  holds(function() error("broken: a.b") end, "fails", "a.b")
  holds(function() error("broken 17") end, "fails", "%d+")
  holds(function() error("x") end, "fails")
  holds({ state = "dead", reason = "answered 503" }, "fails", "503")
  says(broken(function() end, "fails", "x"), "did not fail")
  says(broken({ state = "done" }, "fails"), "did not fail")
  says(broken(function() error("x", 0) end, "fails", "y"), "failed with another message")
  says(broken(5, "fails", "x"), "write expect(function()")
end

function spec.misuse_says_what_to_write()
  local ok, why = pcall(function() word(1):equals(1) end)
  assert(not ok)
  says(why, "there are is, like, contains, has and fails")
  ok, why = pcall(function() word(1).is(1) end)
  assert(not ok)
  says(why, "write expect(…):is(…) with a colon")
end

function spec.values_are_shown_on_one_line_and_cut()
  local shown = { [expect.show "a\n\"\\"] = '"a\\n\\"\\\\"', [expect.show { b = 1, a = { "x" } }] = '{ a = { "x" }, b = 1 }',
    [expect.show { ["a b"] = true }] = '{ ["a b"] = true }', [expect.show(secret.new "KEY")] = "secret:KEY",
    [expect.show {}] = "{}", [expect.show(json.null)] = "json.null" }
  for got, want in pairs(shown) do
    assert(got == want, got)
  end
  local long = expect.show(("x"):rep(1000))
  assert(#long < 420 and long:find " …$")
  local deep = {}
  deep.deep = deep
  assert(expect.show(deep):find "…")
end

return spec
