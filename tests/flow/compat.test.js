// Functions that were written for other routers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

let target;
let router;

const transform = `
-- their style: top-level statements, globals, a library by require
local json = require("json")
local crypto = require("crypto")
local body, err = json.decode(r.RequestBody)
if err then error(err) end
if body.skip then r:StopForwarding() end
count = (count or 0) + 1
body.count = count
body.event = r.RequestHeader["X-Event"]
body.lower = r.RequestHeader["x-event"]
body.mode = r.RequestQuery["hub.mode"]
body.raw = r.RequestRawQuery
body.hash = crypto.sha256("a")
body.empty = body.nothing == nil
r:SetRequestBody(json.encode(body))
r:SetRequestHeader("X-Made-By", cfg:GetValue("NAME"))
r:SetRequestHeader("Content-Type", "application/json; charset=utf-8")
r:SetRequestPath("/extra")
r:SetRequestRawQuery("b=1&c=x%20y")
r:SetRequestMethod("put")
`;

const filter = `
calls = 0 -- lives as long as the rules, as theirs does
function cb_split(tag, timestamp, record)
  calls = calls + 1
  if record.drop then return -1, 0, 0 end
  if record.keep then return 0, 0, 0 end
  local out = {}
  for i, name in ipairs(record.names) do out[i] = { name = name, tag = tag } end
  return 2, timestamp, out
end
function cb_wide(tag, timestamp, group, metadata, record)
  record.seconds = timestamp.sec
  return 1, timestamp, metadata, record
end
function cb_wrong() return 7 end
`;

before(async () => {
  target = await startTarget();
  router = await Router.start({
    'compat/transform.lua': transform,
    'compat/filter.lua': filter,
    'a.lua': `local t = target "t" { url = "${target.url}", private = true, retry = false }
local transform = compat.webhookrelay("transform.lua", { NAME = "me" })
local bare = compat.webhookrelay "transform.lua"
local split = compat.fluentbit("filter.lua", { call = "cb_split", tag = "in" })
local wide = compat.fluentbit("filter.lua", { call = "cb_wide", time_as_table = true })
local wrong = compat.fluentbit("filter.lua", { call = "cb_wrong" })
route "/relay" { verify = verify.none "a test", handle = function(event)
  local message = transform(event)
  if message then send(t, message) end
end }
route "/strict" { verify = verify.none "a test", retry = { attempts = 1 }, handle = function(event) send(t, transform(event)) end }
route "/bare" { verify = verify.none "a test", retry = { attempts = 1 }, handle = function(event) send(t, bare(event)) end }
local function each(filter)
  return function(event)
    for _, record in ipairs(filter(event)) do send(t, { json = record }) end
  end
end
route "/split" { verify = verify.none "a test", handle = each(split) }
route "/wide" { verify = verify.none "a test", handle = each(wide) }
route "/wrong" { verify = verify.none "a test", retry = { attempts = 1 }, handle = each(wrong) }
`,
  });
});
after(async () => {
  await router?.end();
  await target?.close();
});

/** What the target got for this event. */
async function handled(route, body, headers = {}, ...states) {
  target.received.length = 0;
  const answer = await router.post(route, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  assert.equal(answer.status, 202, answer.body);
  const event = await router.eventIn(JSON.parse(answer.body).id, ...(states.length ? states : ['done']));
  await until('the messages', () => target.received.length === event.deliveries.length);
  return { event, got: target.received };
}

test('a function of Webhook Relay changes body, headers, path, query and method', async () => {
  const { got } = await handled('/relay?hub.mode=subscribe&a=1', { id: 7, list: [1, null, 2] }, { 'x-event': 'push' });
  assert.equal(got.length, 1);
  assert.deepEqual([got[0].method, got[0].url, got[0].headers['x-made-by'], got[0].headers['content-type']],
    ['PUT', '/extra?b=1&c=x%20y', 'me', 'application/json; charset=utf-8']);
  assert.deepEqual(JSON.parse(got[0].body), { id: 7, list: [1, 2], count: 1, event: 'push', lower: 'push', mode: 'subscribe',
    raw: 'a=1&hub.mode=subscribe', empty: true, hash: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb' });
});

test('a body that is no JSON is an error that it can see', async () => {
  const answer = await router.post('/strict', 'no JSON', { 'content-type': 'text/plain' });
  const event = await router.eventIn(JSON.parse(answer.body).id, 'dead');
  assert.match(event.reason, /compat\/transform\.lua:\d+: expected a value at byte 0/);
});

test('what it makes global ends with its event', async () => {
  for (let n = 0; n < 3; n++) {
    const { got } = await handled('/relay', { n });
    assert.equal(JSON.parse(got[0].body).count, 1);
  }
});

test('StopForwarding sends nothing, and a value that cfg lacks is said', async () => {
  const { got } = await handled('/relay', { skip: true });
  assert.equal(got.length, 0);
  const { event } = await handled('/bare', {}, {}, 'dead');
  assert.match(event.reason, /compat\/transform\.lua:\d+: cfg:GetValue\("NAME"\): there is no such value/);
});

test('a filter of Fluent Bit splits, keeps, drops', async () => {
  let { got } = await handled('/split', { names: ['a', 'b'] });
  assert.deepEqual(got.map((one) => JSON.parse(one.body)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    [{ name: 'a', tag: 'in' }, { name: 'b', tag: 'in' }]);
  ({ got } = await handled('/split', { keep: true, x: 1 }));
  assert.deepEqual(got.map((one) => JSON.parse(one.body)), [{ keep: true, x: 1 }]);
  ({ got } = await handled('/split', [{ drop: true }, { keep: true, n: 2 }]));
  assert.deepEqual(got.map((one) => JSON.parse(one.body)), [{ keep: true, n: 2 }]);
  ({ got } = await handled('/wide', { a: 1 }));
  assert.ok(JSON.parse(got[0].body).seconds > 1.7e9);
  const { event } = await handled('/wrong', {}, {}, 'dead');
  assert.match(event.reason, /cb_wrong gave the code 7/);
});

test('what is wrong with such a file is said at load', async () => {
  for (const [file, text, said] of [
    ['compat/transform.lua', 'local x = = 1', /rules\/compat\/transform\.lua:1: unexpected symbol near '='/],
    ['compat/filter.lua', 'error "at once"', /rules\/compat\/filter\.lua:1: at once/],
    ['compat/filter.lua', 'function cb_other() end', /rules\/compat\/filter\.lua has no function cb_split[^]*write call = "cb_other"/],
  ]) {
    await router.write(file, text);
    const { code, stdout, stderr } = await router.command('reload');
    assert.equal(code, 3);
    assert.match(stdout + stderr, said);
    await router.write('compat/transform.lua', transform);
    await router.write('compat/filter.lua', filter);
  }
});
