// Every option of a route, as a sender meets it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Router, SECRET, freePort, startTarget, until } from './support.js';

let target;
let router;
let port;
let running = 0;
let most = 0;

before(async () => {
  port = await freePort();
  target = await startTarget((request) => {
    if (request.url === '/two-at-a-time') {
      running++;
      most = Math.max(most, running);
      setTimeout(() => running--, 30);
      return { status: 200, delayMs: 30 };
    }
    return { status: 200 };
  });
  const none = 'verify = verify.none "a test"';
  const echo = 'handle = function(event) send(t, { json = { body = event.body, raw = event.raw, type = event.content_type } }) end';
  router = await Router.start({
    'lib/targets.lua': `return { t = target "t" { url = "${target.url}/t", private = true, auth = auth.basic { user = "ann", password = secret "PASSWORD" } } }`,
    'sub/more.lua': `local t = require("lib.targets").t
      route "/off" { ${none}, enabled = false, handle = function() end }
      route "/methods" { ${none}, methods = { "PUT", "GET" }, handle = function(event) drop(event.method) end }
      route "/reply" { ${none}, reply = { status = 200, json = { ok = true, list = json.array {} }, headers = { ["X-Seen"] = "yes" } }, handle = function() drop "x" end }
      route "/raw" { ${none}, content = "raw", ${echo} }
      route "/text" { ${none}, ${echo} }
      route "/json" { ${none}, content = "json", ${echo} }
      route "/empty" { ${none}, handle = function(event) assert(event.body == nil) send(t, { text = "nothing" }) end }
      route "/received" { ${none}, ack = "received", handle = function(event) send(t, event) end }
      route "/drop" { ${none}, ack = "received", keep = false, dedupe = false, handle = function(event) drop "seen" end }
      route "/gone" { ${none}, keep = false, handle = function(event) send(t, event) end }
      route "/when" { ${none}, when = function(event) return event:get("body.n", 0) > 1 end, handle = function(event) send(t, { text = "when" .. event.body.n }) end }
      route "/when-fails" { ${none}, when = function(event) return event.body.n > 1 end, retry = { attempts = 1 }, handle = function() end }
      route "/twice" { ${none}, dedupe = function(event) return event.body.id end, handle = function(event) send(t, { text = event.body.id }) end }
      route "/many" { ${none}, handle = function(event) send(t, event) end }`,
    'more.lua': `local two = target "two" { url = "${target.url}/two-at-a-time", private = true, concurrency = 2 }
      local away = target "away" { url = "http://127.0.0.1:${port}/away", private = true, retry = { first = "100ms", factor = 1 } }
      route "/two" { ${none}, handle = function(event) for i = 1, 10 do send(two, { text = "x" }) end end }
      route "/away" { ${none}, handle = function(event) send(away, event) end }
      route "/rotated" { verify = verify.hmac { header = "X-Sig", secret = secret("NEW_SECRET", "GITHUB_WEBHOOK_SECRET"), encoding = "base64", prefix = "v1=",
        signed = "{timestamp}.{method}.{path}.{body}", timestamp = "headers.x-time", max_age = "1m" }, handle = function(event) drop(event.verified) end }`,
  }, { env: { PASSWORD: 'pass:word', NEW_SECRET: 'the new one' } });
});

after(async () => {
  await router?.end();
  await target?.close();
});

const json = { 'content-type': 'application/json' };
async function done(route, body, headers = json, ...states) {
  const answer = await router.post(route, body, headers);
  assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status} ${answer.body}`);
  return router.eventIn(answer.headers['tidewire-event-id'], ...(states.length ? states : ['done']));
}
const last = () => JSON.parse(target.received.at(-1).body);

test('a route that is off answers 404', async () => assert.equal((await router.post('/off', '')).status, 404));

test('methods are taken as they are listed', async () => {
  const { request } = await import('./support.js');
  const put = await request({ host: '127.0.0.1', port: router.port, path: '/methods', method: 'PUT' }, '');
  assert.equal(put.status, 202);
  const post = await router.post('/methods', '');
  assert.equal(post.status, 405);
  assert.equal(post.headers.allow, 'GET, PUT');
});

test('a static reply is the answer', async () => {
  const answer = await router.post('/reply', '');
  assert.deepEqual([answer.status, answer.body, answer.headers['x-seen'], answer.headers['content-type']], [200, '{"list":[],"ok":true}', 'yes', 'application/json']);
  assert.ok(answer.headers['tidewire-event-id']);
});

test('content decides how a body is read', async () => {
  await done('/raw', '{"a":1', json);
  assert.deepEqual(last(), { body: '{"a":1', raw: '{"a":1', type: 'application/json' });
  await done('/text', 'plain', { 'content-type': 'text/plain' });
  assert.equal(last().body, 'plain');
  await done('/text', '[1,2]', { 'content-type': 'application/cloudevents+json' });
  assert.deepEqual(last().body, [1, 2]);
  await done('/json', '{"a":1}', { 'content-type': 'text/plain' });
  assert.deepEqual(last().body, { a: 1 });
  assert.equal((await router.post('/json', 'not', {})).status, 400);
  await done('/empty', '', json);
});

test('the password of a target leaves as it should', async () => {
  await done('/text', 'x', { 'content-type': 'text/plain' });
  assert.equal(target.received.at(-1).headers.authorization, `Basic ${Buffer.from('ann:pass:word').toString('base64')}`);
});

test('ack = "received" delivers too, and a dropped one that is not kept leaves no row', async () => {
  const before = target.received.length;
  assert.equal((await router.post('/received', 'r', {})).status, 202);
  await until('the delivery', () => target.received.length > before);
  const rows = (await router.events()).length;
  assert.equal((await router.post('/drop', 'r', {})).status, 202);
  assert.equal((await router.events()).length, rows);
});

test('keep = false forgets the body once it is delivered', async () => {
  const event = await done('/gone', '{"secret":"thing"}');
  await until('the body to be gone', async () => !JSON.stringify(await router.event(event.id)).includes('thing'));
});

test('a `when` function decides, and an error in it is a failed try', async () => {
  const rows = (await router.events()).length;
  assert.equal((await router.post('/when', '{"n":1}', json)).status, 202);
  assert.equal((await router.events()).length, rows);
  await done('/when', '{"n":2}');
  const failed = await done('/when-fails', '{}', json, 'dead');
  assert.match(failed.reason, /^error: .*more\.lua:\d+/);
});

test('a `dedupe` function gives the key', async () => {
  const first = await router.post('/twice', '{"id":"a"}', json);
  const second = await router.post('/twice', '{"id":"a","more":1}', json);
  assert.equal(second.headers['tidewire-duplicate'], 'true');
  assert.equal(second.headers['tidewire-event-id'], first.headers['tidewire-event-id']);
  assert.equal((await router.post('/twice', '{"id":"b"}', json)).headers['tidewire-duplicate'], undefined);
});

test('either of two secrets verifies, over time, method and path', async () => {
  const ask = (secret, at = Math.floor(Date.now() / 1000), path = '/rotated') => router.post('/rotated', 'b', {
    'x-time': String(at), 'x-sig': `v1=${createHmac('sha256', secret).update(`${at}.POST.${path}.b`).digest('base64')}`,
  });
  assert.equal((await ask('the new one')).status, 202);
  assert.equal((await ask(SECRET)).status, 202);
  assert.equal((await ask('another')).status, 401);
  assert.equal((await ask(SECRET, undefined, '/other')).status, 401);
  assert.equal((await ask(SECRET, Math.floor(Date.now() / 1000) - 120)).status, 401);
});

test('refusals leave no trace but a count and one line of log a minute', async () => {
  const rows = (await router.events()).length;
  for (let i = 0; i < 50; i++) assert.equal((await router.post('/rotated', 'x', { 'x-time': '1', 'x-sig': 'v1=no' })).status, 401);
  assert.equal((await router.events()).length, rows);
  const status = await router.status();
  const counts = status.workers.flatMap((worker) => worker.requests).filter((one) => one.route === '/rotated');
  const refused = counts.reduce((sum, one) => sum + Object.values(one.refused).reduce((a, b) => a + b, 0), 0);
  assert.ok(refused >= 50, JSON.stringify(counts));
  const lines = router.output.split('\n').filter((line) => line.includes('"refused"') && line.includes('/rotated'));
  assert.ok(lines.length >= 1 && lines.length <= 6, lines.join('\n'));
});

test('concurrency is kept', async () => {
  await done('/two', '');
  assert.equal(most, 2);
});

test('more than memory holds waits on disk for a target that is away, and arrives', async () => {
  const ids = new Set();
  for (let i = 0; i < 700; i += 20) {
    await Promise.all(Array.from({ length: 20 }, async (_, j) => {
      assert.equal((await router.post('/away', `away${i + j}`, { 'content-type': 'text/plain' })).status, 202);
      ids.add(`away${i + j}`);
    }));
  }
  const back = await startTarget(() => ({ status: 200 }), port);
  await until('all of them', () => new Set(back.received.map((one) => one.body.toString())).size === ids.size, 60000);
  await back.close();
});
