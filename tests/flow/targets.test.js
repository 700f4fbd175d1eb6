// Targets that are slow, dead, rude, or want to be asked again.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Router, freePort, startTarget, until } from './support.js';

let target;
let router;
let deadPort;
const tries = new Map();

before(async () => {
  target = await startTarget((request) => {
    const n = (tries.get(request.url) ?? 0) + 1;
    tries.set(request.url, n);
    switch (request.url) {
      case '/503-then-200': return { status: n === 1 ? 503 : 200 };
      case '/429': return n === 1 ? { status: 429, headers: { 'retry-after': '2' } } : { status: 200 };
      case '/410': return { status: 410 };
      case '/reset':
      case '/closed': return n === 1 ? { reset: true } : { status: 200 };
      case '/never': return { never: true };
      case '/500': return { status: 500, body: 'out of order' };
      case '/302': return { status: 302, headers: { location: `${target.url}/ok` } };
      case '/big': return { status: 200, body: 'x'.repeat(1 << 20) };
      case '/sluggish': return { status: 200, delayMs: 100 };
      case '/202-only': return { status: 202 };
      default: return { status: 200, body: 'thanks' };
    }
  });
  deadPort = await freePort();
  const declare = (name, options = '') =>
    `local t_${name.replace(/-/g, '_')} = target "${name}" { url = "${target.url}/${name}", private = true, timeout = "1s",
       retry = { first = "50ms", factor = 1, attempts = 3 }, breaker = false ${options} }\n` +
    `route "/${name}" { verify = verify.none "a test", handle = function(event) send(t_${name.replace(/-/g, '_')}, event) end }\n`;
  router = await Router.start({
    'targets.lua': ['503-then-200', '429', '410', 'reset', 'closed', 'warm', 'never', '500', '302', 'big'].map((name) => declare(name)).join('')
      + declare('ok', ', rate = "5/s"')
      + declare('202-only', ', success = { 200 }')
      + `local dead = target "dead" { url = "http://127.0.0.1:${deadPort}/", private = true, retry = { first = "50ms", factor = 1, attempts = 2 } }
         route "/dead" { verify = verify.none "a test", handle = function(event) send(dead, event) end }
         local inside = target "inside" { url = "${target.url}/inside" }
         route "/inside" { verify = verify.none "a test", handle = function(event) send(inside, event) end }
         local large = target "large" { url = "${target.url}/large", private = true }
         route "/large" { verify = verify.none "a test", handle = function() send(large, { text = ("x"):rep(${2 << 20}) }) end }
         local sluggish = target "sluggish" { url = "${target.url}/sluggish", private = true }
         route "/sluggish" { verify = verify.none "a test", handle = function(event) send(sluggish, { text = event.headers["x-n"] }) end }
         local judged = target "judged" { url = "${target.url}/judged", private = true, retry = false,
           success = function(answer) return answer.status == 200 and answer.body == "thanks" end }
         route "/judged" { verify = verify.none "a test", handle = function(event)
           send(judged, { text = "hello", path = "/a b/ü", query = { q = "x&y" }, headers = { ["X-One"] = "1" }, method = "PUT", id = "fixed-1" })
         end }`,
  });
});

after(async () => {
  await router?.end();
  await target?.close();
});

async function deliver(name, ...states) {
  const answer = await router.post(`/${name}`, '{}', { 'content-type': 'application/json' });
  assert.equal(answer.status, 202);
  const event = await router.eventIn(answer.headers['tidewire-event-id'], ...states);
  return event.deliveries[0];
}

test('503 is tried again, with the same key, until it is taken', async () => {
  const delivery = await deliver('503-then-200', 'done');
  assert.deepEqual(delivery.tries.map((one) => one.status), [503, 200]);
  const keys = target.received.filter((one) => one.url === '/503-then-200').map((one) => one.headers['idempotency-key']);
  assert.equal(new Set(keys).size, 1);
});

test('Retry-After is waited for', async () => {
  await deliver('429', 'done');
  const [first, second] = target.received.filter((one) => one.url === '/429');
  assert.ok(second.at - first.at >= 1900, `${second.at - first.at} ms`);
});

test('410 is final', async () => {
  const delivery = await deliver('410', 'dead');
  assert.equal(delivery.tries.length, 1);
  assert.match(delivery.reason, /answered 410/);
});

test('a reset is tried again', async () => {
  const delivery = await deliver('reset', 'done');
  assert.equal(delivery.tries.at(-1).status, 200);
});

test('what is repeated because a kept connection was closed goes to its own URL again', async () => {
  await Promise.all(Array.from({ length: 12 }, () => deliver('warm', 'done'))); // a kept connection in every worker
  const delivery = await deliver('closed', 'done');
  assert.deepEqual(delivery.tries.map((one) => one.status), [200]); // libcurl repeats it by itself, once
  const got = target.received.filter((one) => one.headers['idempotency-key'] === delivery.id);
  assert.deepEqual(got.map((one) => one.url), ['/closed', '/closed']);
});

test('a large body is sent without asking first', async () => {
  const delivery = await deliver('large', 'done');
  const got = target.received.find((one) => one.headers['idempotency-key'] === delivery.id);
  assert.equal(got.body.length, 2 << 20); // libcurl by itself would ask above 1 MiB
  assert.equal(got.headers.expect, undefined);
});

test('a target that never answers runs into its timeout, and is given up after its tries', async () => {
  const delivery = await deliver('never', 'dead');
  assert.deepEqual(delivery.tries.map((one) => one.error_type), ['timeout', 'timeout', 'timeout']);
});

test('a target that always fails is dead after its tries, with its last words kept', async () => {
  const delivery = await deliver('500', 'dead');
  assert.equal(delivery.tries.length, 3);
  assert.equal(delivery.tries[2].answer, 'out of order');
});

test('a redirect is not followed and not success', async () => {
  const delivery = await deliver('302', 'dead');
  assert.deepEqual(delivery.tries.map((one) => one.status), [302]);
});

test('of a large answer 64 KiB are kept', async () => {
  const delivery = await deliver('big', 'done');
  assert.equal(delivery.tries[0].answer.length, 65536);
});

test('nobody listening is tried again, then dead', async () => {
  const delivery = await deliver('dead', 'dead');
  assert.deepEqual(delivery.tries.map((one) => one.error_type), ['connect', 'connect']);
});

test('a private address is refused where the target does not allow it', async () => {
  const delivery = await deliver('inside', 'dead');
  assert.equal(delivery.tries[0].error_type, 'blocked_address');
  assert.equal(target.received.filter((one) => one.url === '/inside').length, 0);
});

test('success is what the target says it is', async () => {
  assert.match((await deliver('202-only', 'dead')).reason, /answered 202/);
  assert.equal((await deliver('judged', 'done')).state, 'delivered');
});

test('path, query, headers, method and id of a message are sent', async () => {
  const got = target.received.find((one) => one.url.startsWith('/judged'));
  assert.equal(got.url, '/judged/a%20b/%C3%BC?q=x%26y');
  assert.equal(got.method, 'PUT');
  assert.equal(got.headers['x-one'], '1');
  assert.equal(got.headers['idempotency-key'], 'fixed-1');
  assert.equal(got.body.toString(), 'hello');
});

test('a rate is kept', async () => {
  const answers = await Promise.all(Array.from({ length: 15 }, () => router.post('/ok', '')));
  for (const answer of answers) await router.eventIn(answer.headers['tidewire-event-id'], 'done');
  const times = target.received.filter((one) => one.url === '/ok').map((one) => one.at);
  assert.equal(times.length, 15);
  assert.ok(times.at(-1) - times[0] >= 1500, `${times.at(-1) - times[0]} ms for 15 at 5/s with a burst of 5`);
});

test('a target that never answers slows nobody else', async () => {
  const waiting = Array.from({ length: 60 }, () => router.post('/never', ''));
  await Promise.all(waiting);
  const start = Date.now();
  const delivery = await deliver('big', 'done');
  assert.equal(delivery.state, 'delivered');
  assert.ok(Date.now() - start < 1000, `${Date.now() - start} ms`);
  await until('the slow ones to end', async () => (await router.events('&state=delivering')).length === 0, 60000);
});

test('large bodies that wait for a slow target fill no memory and refuse nobody', async () => {
  const { pid } = await router.status();
  const body = JSON.stringify({ text: 'x'.repeat(1e6) }); // 600 of them are more than twice what bodies may take
  const send = async (first, count) => {
    for (let n = first; n < first + count; n++) {
      const answer = await router.post('/sluggish', body, { 'content-type': 'application/json', 'x-n': String(n) });
      assert.equal(answer.status, 202, answer.body);
    }
  };
  await Promise.all(Array.from({ length: 10 }, (_, i) => send(i * 60, 60)));
  const wanted = new Set(Array.from({ length: 600 }, (_, n) => String(n)));
  await until('all to arrive', () => {
    for (const one of target.received) if (one.url === '/sluggish') wanted.delete(one.body.toString());
    return wanted.size === 0;
  }, 60000);
  const most = Number(/VmHWM:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'latin1'))[1]) / 1024;
  if (!['asan', 'tsan'].includes(process.env.TIDEWIRE_PRESET)) assert.ok(most < 400, `${most} MB`); // those keep what was freed
});

test('64 MiB of bodies are sent at once; beyond that each target has one attempt at a time', async () => {
  const held = [];
  const slow = http.createServer((request, response) => request.resume().on('end', () => held.push(response)));
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const url = `http://127.0.0.1:${slow.address().port}/`;
  const declare = (name) => `local ${name} = target "${name}" { url = "${url}", private = true, timeout = "60s" }
    route "/${name}" { verify = verify.none "a test", max_body = "8MiB", handle = function(event) send(${name}, event) end }\n`;
  const crowded = await Router.start({ 'a.lua': declare('one') + declare('other') }, { flags: ['--workers', '1'] });
  try {
    const body = Buffer.alloc(8 << 20, 'x');
    const counts = async () => Object.fromEntries((await crowded.status()).workers[0].targets.map((each) => [each.target, each]));
    for (let n = 0; n < 10; n++) assert.equal((await crowded.post('/one', body)).status, 202);
    await until('eight of them to be under way', () => held.length === 8);
    assert.deepEqual([(await counts()).one.sending, (await counts()).one.waiting], [8, 2]);
    for (let n = 0; n < 2; n++) assert.equal((await crowded.post('/other', body)).status, 202);
    await until('the other target to have one', () => held.length === 9);
    assert.deepEqual([(await counts()).one.sending, (await counts()).other.sending, (await counts()).other.waiting], [8, 1, 1]);
    for (let ended = 0; ended < 12; ended++) {
      await until(`request ${ended + 1}`, () => held.length > ended);
      held[ended].end();
    }
    await until('all to be delivered', async () => (await counts()).one.delivered + (await counts()).other.delivered === 12);
  } finally {
    await crowded.end();
    slow.closeAllConnections();
    slow.close();
  }
});

test('a target may be asked about an answer in the middle of a burst of requests', async () => {
  const asking = await Router.start({ 'a.lua': `local asked = target "asked" { url = "${target.url}/asked", private = true,
      success = function(answer) local n = 0 for i = 1, 1000 do n = n + i end return answer.status == 200 and n == 500500 end }
    route "/asked" { verify = verify.none "a test", handle = function(event) send(asked, { json = event.body }) end }` });
  try {
    const before = target.received.length;
    const type = { 'content-type': 'application/json' };
    const answers = await Promise.all(Array.from({ length: 400 }, (_, n) => asking.post('/asked', JSON.stringify({ n }), type)));
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [202]);
    await until('all to be delivered', async () => (await asking.events('&state=done')).length === 400);
    const got = target.received.slice(before).filter((one) => one.url === '/asked').map((one) => JSON.parse(one.body).n);
    assert.equal(new Set(got).size, 400);
  } finally {
    await asking.end();
  }
});

test('a target that fails in a row is let rest, probed, and gets all once it works', async () => {
  let broken = true;
  const got = [];
  const shaky = await startTarget((request) => {
    got.push(request.body.toString());
    return { status: broken ? 503 : 200 };
  });
  const resting = await Router.start({ 'a.lua': `local shaky = target "shaky" { url = "${shaky.url}/", private = true, concurrency = 1,
      retry = { first = "10ms", factor = 1, attempts = 5 }, breaker = { open_after = 3, probe_every = "1s" } }
    route "/shaky" { verify = verify.none "a test", handle = function(event) send(shaky, event) end }` }, { flags: ['--workers', '1'] });
  const breaker = async () => (await resting.status()).workers[0].targets[0].breaker;
  try {
    for (let n = 0; n < 10; n++) await resting.post('/shaky', String(n), { 'content-type': 'text/plain' });
    await until('the breaker to open', async () => (await breaker()) === 'open');
    assert.equal(got.length, 3);
    const opened = Date.now();
    await until('a probe', () => got.length === 4);
    assert.ok(Date.now() - opened > 700, `${Date.now() - opened} ms`);
    broken = false;
    await until('all to be delivered', async () => (await resting.events('&state=done')).length === 10);
    assert.equal(await breaker(), 'closed');
    assert.ok(got.length <= 16, `${got.length} attempts: what waits for an open breaker spends none`);
    assert.match(resting.output, /"breaker opened"[^]*"breaker closed"/);
  } finally {
    await resting.end();
    await shaky.close();
  }
});
