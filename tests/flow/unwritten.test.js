// ack = "received", keep = false, dedupe = false: written only if something has to wait.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, freePort, startTarget, until } from './support.js';

const tries = new Map();
let deadPort;
let holding = false;
let target;
let router;

const of = (url) => target.received.filter((one) => one.url === url);

function rules(slowUrl) {
  const options = 'verify = verify.none "a test", ack = "received", keep = false, dedupe = false';
  return `
local good = target "good" { url = "${target.url}/good", private = true }
local other = target "other" { url = "${target.url}/other", private = true }
local second = target "second" { url = "${target.url}/second", private = true, retry = { first = "100ms", factor = 1 } }
local never = target "never" { url = "${target.url}/gone", private = true }
local dead = target "dead" { url = "http://127.0.0.1:${deadPort}/", private = true, retry = { first = "1h" } }
local slow = target "slow" { url = "${slowUrl}", private = true, timeout = "3s", concurrency = 2 }
local paced = target "paced" { url = "${target.url}/paced", private = true, rate = "5/s" }
local unset = target "unset" { url = secret "NOWHERE_URL", private = true }
route "/good" { ${options}, handle = function(event) send(good, event) send(other, { json = { n = event.body.n } }) end }
route "/second" { ${options}, handle = function(event) send(second, event) send(good, event) end }
route "/never" { ${options}, handle = function(event) send(never, event) end }
route "/dead" { ${options}, handle = function(event) send(dead, event) end }
route "/slow" { ${options}, handle = function(event) send(slow, event) end }
route "/paced" { ${options}, handle = function(event) send(paced, event) end }
route "/unset" { ${options}, handle = function(event) send(unset, event) end }
`;
}

before(async () => {
  target = await startTarget((request) => {
    const n = (tries.get(request.url) ?? 0) + 1;
    tries.set(request.url, n);
    if (request.url === '/second') return { status: n === 1 ? 503 : 200 };
    if (request.url === '/gone') return { status: 410 };
    if (request.url === '/slow' && holding) return { never: true };
    return { status: 200 };
  });
  deadPort = await freePort();
  router = await Router.start({ 'in.lua': rules(`${target.url}/slow`) }, { flags: ['--drain', '1s'] });
});

after(async () => {
  await router?.end();
  await target?.close();
});

const json = { 'content-type': 'application/json' };

async function post(route, n = 1) {
  const answer = await router.post(route, JSON.stringify({ n }), json);
  assert.equal(answer.status, 202);
  return answer.headers['tidewire-event-id'];
}

const commits = async () => (await router.status()).store.commits;

test('what arrives at once is never written', async () => {
  const before = await until('the rules themselves to be kept', commits);
  const ids = [];
  for (let n = 0; n < 20; n++) ids.push(await post('/good', n));
  await until('all to arrive', () => of('/good').length === 20 && of('/other').length === 20);
  assert.equal(new Set(of('/good').map((one) => one.headers['idempotency-key'])).size, 20);
  assert.deepEqual(of('/other').map((one) => JSON.parse(one.body).n).sort((a, b) => a - b), Array.from({ length: 20 }, (_, n) => n));
  assert.equal(await router.event(ids[0]), null);
  assert.equal(await commits(), before);
  const { workers } = await router.status();
  const counted = workers.flatMap((worker) => worker.targets).filter((one) => one.target === 'good');
  assert.equal(counted.reduce((sum, one) => sum + one.delivered, 0), 20);
});

test('one of its messages has to wait: the event is written, with what has arrived meanwhile', async () => {
  const earlier = of('/good').length;
  const event = await router.eventIn(await post('/second'), 'done');
  assert.deepEqual(event.deliveries.map((one) => [one.target, one.state]), [['second', 'delivered'], ['good', 'delivered']]);
  assert.deepEqual(event.deliveries[0].tries.map((one) => one.status), [503, 200]);
  assert.deepEqual(event.deliveries[1].tries.map((one) => one.status), [200]);
  assert.equal(of('/good').length, earlier + 1);
  assert.equal(new Set(of('/second').map((one) => one.headers['idempotency-key'])).size, 1);
});

test('one that is given up at once is there to be looked at', async () => {
  const event = await router.eventIn(await post('/never'), 'dead');
  assert.match(event.deliveries[0].reason, /answered 410/);
});

test('nobody answers, a rate, a target that records: it is in the store', async () => {
  const id = await post('/dead');
  const tried = await until('the failed try to be recorded', async () => {
    const event = await router.event(id);
    return event?.deliveries[0].tries.length ? event : null;
  });
  assert.equal(tried.state, 'delivering');
  assert.equal(tried.deliveries[0].tries[0].error_type, 'connect');
  const unset = await router.eventIn(await post('/unset'), 'done');
  assert.equal(unset.deliveries[0].state, 'recorded');
  const ids = [];
  for (let n = 0; n < 8; n++) ids.push(await post('/paced', n));
  for (const id of ids) await router.eventIn(id, 'done');
});

test('the router ends while a target is slow: what is under way is written and sent by the next one', async () => {
  holding = true;
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push(await post('/slow', n)); // more than may be under way at once
  await until('two to be under way', () => of('/slow').length >= 2);
  assert.deepEqual(await router.stop(), { code: 0, signal: null });
  holding = false;
  await router.launch();
  for (const id of ids) await router.eventIn(id, 'done');
  const keys = of('/slow').map((one) => one.headers['idempotency-key']);
  assert.equal(new Set(keys).size, 5);
  assert.ok(keys.length <= 5 + 2 * 2, `${keys.length} requests for 5 messages`);
});

test('its target goes by a reload while it waits its turn: it is written, and sent when the name returns', async () => {
  holding = true;
  const earlier = of('/slow').length;
  const ids = [];
  for (let n = 0; n < 6; n++) ids.push(await post('/slow', 100 + n));
  await until('two of each worker to be under way', () => of('/slow').length >= earlier + 2);
  await router.write('in.lua', 'route "/else" { verify = verify.none "a test", handle = function() end }');
  assert.equal((await router.command('reload', '--yes')).code, 0);
  await until('those that wait to be in the store', async () => {
    const written = await Promise.all(ids.map((id) => router.event(id)));
    return written.filter(Boolean).length >= 2;
  });
  holding = false;
  await router.write('in.lua', rules(`${target.url}/slow-again`));
  assert.equal((await router.command('reload', '--yes')).code, 0);
  await until('the others to arrive at the new address', () => of('/slow-again').length >= 2);
});

test('a burst into a slow target: what finds no place in memory is written, none is lost', async () => {
  const ids = await Promise.all(Array.from({ length: 900 }, (_, n) => post('/slow', 1000 + n)));
  const wanted = new Set(ids.map((_, n) => 1000 + n));
  await until('all to arrive', () => {
    for (const one of of('/slow-again')) wanted.delete(JSON.parse(one.body).n);
    return wanted.size === 0;
  }, 60000);
});
