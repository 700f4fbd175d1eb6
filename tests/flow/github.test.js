// Every payload that GitHub's own examples hold, signed by GitHub's own library.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { sign } from '@octokit/webhooks-methods';
import { Router, SECRET, startTarget, until } from './support.js';

const require = createRequire(import.meta.url);
const examples = require('@octokit/webhooks-examples');
// An equal body has an equal signature, which GitHub's profile takes for a repetition: each body once.
const all = (examples.default ?? examples).flatMap((event) =>
  event.examples.map((payload) => ({ name: event.name, body: JSON.stringify(payload) })));
const payloads = [...new Map(all.map((payload) => [payload.body, payload])).values()];

const rule = (url) => `
local catcher = target "catcher" { url = "${url}/in", private = true }
route "/github" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  handle = function(event) send(catcher, event) end,
}
route "/view" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  handle = function(event) send(catcher, { json = event.body, headers = { ["X-Type"] = event.type } }) end,
}
route "/edit" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  handle = function(event) send(catcher, { json = merge(event.body, { tidewire = true }) }) end,
}
`;

let target;
let router;

before(async () => {
  target = await startTarget();
  router = await Router.start({ 'github.lua': rule(target.url) });
});

after(async () => {
  await router?.end();
  await target?.close();
});

async function post(route, body, name, extra = {}) {
  return router.post(route, body, {
    'content-type': 'application/json',
    'x-github-event': name,
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': await sign(SECRET, body),
    ...extra,
  });
}

test('every example is accepted, stored and delivered as the bytes it was', async () => {
  const first = target.received.length;
  for (const { name, body } of payloads) {
    const answer = await post('/github', body, name);
    assert.equal(answer.status, 202, `${name}: ${answer.body}`);
    assert.match(answer.headers['tidewire-event-id'], /^[0-9a-f-]{36}$/);
    assert.equal(JSON.parse(answer.body).id, answer.headers['tidewire-event-id']);
  }
  await until('all deliveries', () => target.received.length - first >= payloads.length);
  const got = target.received.slice(first).map((request) => request.body.toString()).sort();
  assert.deepEqual(got, payloads.map((payload) => payload.body).sort());
  assert.ok(target.received.slice(first).every((request) => request.headers['idempotency-key']));
});

test('a body passed on through a view is byte for byte the same', async () => {
  const first = target.received.length;
  for (const { name, body } of payloads) assert.equal((await post('/view', body, name)).status, 202);
  await until('all deliveries', () => target.received.length - first >= payloads.length);
  const got = target.received.slice(first).map((request) => request.body.toString()).sort();
  assert.deepEqual(got, payloads.map((payload) => payload.body).sort());
});

test('an edited body differs only where it was edited', async () => {
  const first = target.received.length;
  const some = payloads.slice(0, 40);
  for (const { name, body } of some) assert.equal((await post('/edit', body, name)).status, 202);
  await until('all deliveries', () => target.received.length - first >= some.length);
  const got = target.received.slice(first).map((request) => request.body.toString()).sort();
  const want = some.map(({ body }) => (body === '{}' ? '{"tidewire":true}' : `${body.slice(0, -1)},"tidewire":true}`)).sort();
  assert.deepEqual(got, want);
});

test('a form with the one field payload is the JSON inside it', async () => {
  const first = target.received.length;
  const body = `payload=${encodeURIComponent('{"ref":"refs/heads/form","n":1.50}')}`;
  const answer = await post('/view', body, 'push', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(answer.status, 202, answer.body);
  await until('the delivery', () => target.received.length > first);
  assert.equal(target.received[first].body.toString(), '{"ref":"refs/heads/form","n":1.50}');
});

test('nesting is taken to 128 levels and not beyond', async () => {
  const nested = (n) => '['.repeat(n) + ']'.repeat(n);
  const taken = await post('/view', nested(128), 'push');
  assert.equal(taken.status, 202);
  await router.eventIn(taken.headers['tidewire-event-id'], 'done');
  const refused = await post('/view', nested(129), 'push');
  assert.equal(refused.status, 400);
  assert.match(JSON.parse(refused.body).detail, /byte 128/);
});

test('odd JSON comes out as it went in', async () => {
  const first = target.received.length;
  const body = '{ "big": 12345678901234567890123, "id":9007199254740993 ,"n":19.90,"e":1E400,"empty":[],"o":{},'
    + '"gone":null,"u":"\\ud800 \\u0041","dup":1,"dup":2, "list":[null,[],{}] }';
  assert.equal((await post('/view', body, 'push')).status, 202);
  await until('the delivery', () => target.received.length > first);
  assert.equal(target.received[first].body.toString(), body);
});

const push = JSON.stringify({ ref: 'refs/heads/main' });
const refusals = {
  'no signature': async () => ({ 'x-hub-signature-256': undefined }),
  'an empty signature': async () => ({ 'x-hub-signature-256': '' }),
  'the signature of another body': async () => ({ 'x-hub-signature-256': await sign(SECRET, `${push} `) }),
  'the signature under another secret': async () => ({ 'x-hub-signature-256': await sign('other', push) }),
  'a signature without its prefix': async () => ({ 'x-hub-signature-256': (await sign(SECRET, push)).slice(7) }),
  'a signature cut short': async () => ({ 'x-hub-signature-256': (await sign(SECRET, push)).slice(0, -2) }),
  'a signature with something behind it': async () => ({ 'x-hub-signature-256': `${await sign(SECRET, push)}00` }),
  'a SHA-1 signature only': async () => ({
    'x-hub-signature-256': undefined,
    'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(push).digest('hex')}`,
  }),
  'a doubled signature header': async () => ({ 'x-hub-signature-256': [await sign(SECRET, push), await sign(SECRET, push)] }),
};

for (const [what, make] of Object.entries(refusals)) {
  test(`${what} is refused and leaves no trace in the store`, async () => {
    const before = (await router.events()).length;
    const headers = {
      'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': randomUUID(),
      'x-hub-signature-256': await sign(SECRET, push), ...(await make()),
    };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    const answer = await router.post('/github', push, headers);
    assert.equal(answer.status, 401);
    assert.match(answer.headers['content-type'], /^application\/problem\+json/);
    assert.equal((await router.events()).length, before);
  });
}

test('a repeated delivery id is answered as the first one and handled once', async () => {
  const first = target.received.length;
  const id = randomUUID();
  const push = JSON.stringify({ ref: 'refs/heads/twice' });
  const one = await post('/github', push, 'push', { 'x-github-delivery': id });
  const two = await post('/github', push, 'push', { 'x-github-delivery': id });
  assert.equal(two.status, 202);
  assert.equal(two.headers['tidewire-duplicate'], 'true');
  assert.equal(two.headers['tidewire-event-id'], one.headers['tidewire-event-id']);
  await router.eventIn(one.headers['tidewire-event-id'], 'done');
  assert.equal(target.received.length, first + 1);
});

test('an equal body with another delivery id is a replay, because GitHub signs nothing but the body', async () => {
  const body = JSON.stringify({ ref: 'refs/heads/replayed' });
  const one = await post('/github', body, 'push');
  const two = await post('/github', body, 'push');
  assert.equal(two.headers['tidewire-duplicate'], 'true');
  assert.equal(two.headers['tidewire-event-id'], one.headers['tidewire-event-id']);
});

test('fifty equal requests at the same moment make one event', async () => {
  const first = target.received.length;
  const id = randomUUID();
  const push = JSON.stringify({ ref: 'refs/heads/fifty' });
  const answers = await Promise.all(Array.from({ length: 50 }, () => post('/github', push, 'push', { 'x-github-delivery': id })));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [202]);
  assert.equal(new Set(answers.map((answer) => answer.headers['tidewire-event-id'])).size, 1);
  assert.equal(answers.filter((answer) => !answer.headers['tidewire-duplicate']).length, 1);
  await router.eventIn(answers[0].headers['tidewire-event-id'], 'done');
  assert.equal(target.received.length, first + 1);
});

test('a body that is not JSON is refused with the place of the fault', async () => {
  const body = '{"a":1,}';
  const answer = await router.post('/github', body, {
    'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': randomUUID(),
    'x-hub-signature-256': await sign(SECRET, body),
  });
  assert.equal(answer.status, 400);
  assert.match(JSON.parse(answer.body).detail, /byte 7/);
});
