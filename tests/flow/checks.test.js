// What a request has to pass before its handler: host, address behind proxies, rate, schema.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

let target;
let router;
const JSON_TYPE = { 'content-type': 'application/json' };

const order = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['id', 'items'],
  properties: {
    id: { type: 'integer' },
    items: { type: 'array', minItems: 1, items: { $ref: '#/$defs/item' } },
    kind: { enum: ['order', 'refund'] },
  },
  $defs: { item: { type: 'object', required: ['sku'], properties: { sku: { type: 'string', pattern: '^[A-Z]-[0-9]+$' } } } },
};

before(async () => {
  target = await startTarget();
  const route = (name, options) =>
    `route "${name}" { verify = verify.none "a test", ${options}, handle = function(event) send(t, { json = { ip = event.remote_ip } }) end }\n`;
  router = await Router.start({
    'checks.lua': `local t = target "t" { url = "${target.url}/", private = true }\n`
      + route('/host', 'host = "Hooks.example.com"')
      + route('/rate', 'rate = "3/m"')
      + route('/schema', 'schema = "schemas/order.json"')
      + route('/table', 'schema = { type = "object", required = { "a" } }')
      + route('/inside', 'ip_allow = { "198.51.100.0/24" }')
      + route('/secretive', 'redact = { "body.card.number", "body.items[*].price", "headers.X-Request-Id" }')
      + route('/ip', 'methods = { "POST" }'),
  }, {
    async prepare(folder) {
      await writeFile(path.join(folder, 'tidewire.lua'), 'server { trusted_proxies = { "127.0.0.0/8", "10.0.0.0/8" } }\n');
      await mkdir(path.join(folder, 'rules/schemas'), { recursive: true });
      await writeFile(path.join(folder, 'rules/schemas/order.json'), JSON.stringify(order, null, 2));
    },
  });
});
after(async () => {
  await router?.end();
  await target?.close();
});

async function refused(route, reason) {
  const status = await router.status();
  return status.workers.flatMap((worker) => worker.requests).filter((one) => one.route === route)
    .reduce((sum, one) => sum + (one.refused[reason] ?? 0), 0);
}

test('a route for one host is no route for others', async () => {
  for (const host of ['hooks.example.com', 'HOOKS.example.com:8080', 'hooks.example.com.']) {
    assert.equal((await router.post('/host', '', { host })).status, 202, host);
  }
  for (const host of ['example.com', 'hooks.example.com.example.org', 'xhooks.example.com', '[::1]:80']) {
    assert.equal((await router.post('/host', '', { host })).status, 404, host);
  }
});

test('past its rate a route answers 429, says when to come again, and counts it', async () => {
  const statuses = [];
  let last;
  for (let n = 0; n < 5; n++) statuses.push((last = await router.post('/rate', '')).status);
  assert.deepEqual(statuses, [202, 202, 202, 429, 429]);
  assert.equal(last.headers['retry-after'], '30'); // a third of a minute, and the next step of what is said
  assert.equal(await refused('/rate', 'rate'), 2);
  await router.write('other.lua', '-- new rules\n');
  const reloaded = await router.command('reload');
  assert.equal(reloaded.code, 0, reloaded.stderr);
  assert.equal((await router.post('/rate', '')).status, 429, 'new rules give no fresh burst');
});

test('a body that does not fit the schema is refused with the place', async () => {
  const post = async (body) => router.post('/schema', JSON.stringify(body), JSON_TYPE);
  assert.equal((await post({ id: 1, items: [{ sku: 'A-1' }], kind: 'refund' })).status, 202);
  for (const [body, detail] of [
    [{ items: [{ sku: 'A-1' }] }, "body lacks 'id'"],
    [{ id: 'x', items: [{ sku: 'A-1' }] }, 'body.id has to be an integer, and is a string'],
    [{ id: 1, items: [] }, 'body.items has 0 items, and at least 1 are wanted'],
    [{ id: 1, items: [{ sku: 'A-1' }, { sku: 'a' }] }, 'body.items[2].sku has to match the pattern ^[A-Z]-[0-9]+$'],
    [{ id: 1, items: [{ sku: 'A-1' }], kind: 'other' }, 'body.kind has to be one of [\n        "order",\n        "refund"\n      ]'],
  ]) {
    const answer = await post(body);
    assert.equal(answer.status, 422, answer.body);
    assert.equal(JSON.parse(answer.body).detail, detail);
  }
  const text = await router.post('/schema', 'id=1', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.deepEqual([text.status, JSON.parse(text.body).detail], [422, 'this route takes a JSON body']);
  assert.equal(await refused('/schema', 'schema'), 6);
  assert.equal((await router.post('/table', '{"a":1}', JSON_TYPE)).status, 202);
  assert.equal((await router.post('/table', '{"b":1}', JSON_TYPE)).status, 422);
});

test('a schema that changes is part of the rules', async () => {
  await writeFile(path.join(router.folder, 'rules/schemas/order.json'), JSON.stringify({ ...order, required: ['id'] }));
  const reloaded = await router.command('reload');
  assert.match(reloaded.stdout, /~ route \/schema: schema/);
  assert.equal((await router.post('/schema', '{"id":1}', JSON_TYPE)).status, 202);
  await writeFile(path.join(router.folder, 'rules/schemas/order.json'), '{ "type": "objekt" }');
  const broken = await router.command('reload');
  assert.equal(broken.code, 3);
  assert.match(broken.stdout + broken.stderr,
    /rules\/checks\.lua:4: route "\/schema": schemas\/order\.json: line 1: type is one of null boolean/);
  assert.equal((await router.post('/schema', '{"id":1}', JSON_TYPE)).status, 202, 'the former rules go on');
});

test('behind a trusted proxy the forwarded address counts', async () => {
  const inside = (list) => router.post('/inside', '', { 'x-forwarded-for': list });
  assert.equal((await inside('198.51.100.7')).status, 202);
  assert.equal((await inside('198.51.100.7, 10.0.0.3')).status, 202);
  assert.equal((await inside('203.0.113.5')).status, 403);
  assert.equal((await inside('198.51.100.7, 203.0.113.5')).status, 403, 'what stands before it may be made up');
  assert.equal((await router.post('/inside', '')).status, 403);
  const { body } = await router.post('/ip', '', { 'x-forwarded-for': '203.0.113.5:99' });
  const event = await router.eventIn(JSON.parse(body).id, 'done');
  assert.equal(event.remote_ip, '203.0.113.5');
  await until('the message', () => target.received.some((one) => one.body.toString() === '{"ip":"203.0.113.5"}'));
});

test('what is redacted is sent and not shown, by a running router and without one', async () => {
  const body = '{ "card": { "number": "4111", "kind": "visa" }, "items": [ { "price": 7, "sku": "a" }, { "price": 8 } ] }';
  const answer = await router.post('/secretive', body, { ...JSON_TYPE, 'x-request-id': 'r-1', 'user-agent': 'me' });
  const event = await router.eventIn(JSON.parse(answer.body).id, 'done');
  assert.deepEqual(event.body, { card: { number: '(hidden)', kind: 'visa' },
    items: [{ price: '(hidden)', sku: 'a' }, { price: '(hidden)' }] });
  assert.deepEqual([event.headers['x-request-id'], event.headers['user-agent']], ['(hidden)', 'me']);
  assert.equal(event.deliveries[0].message, '(hidden)');
  assert.match(target.received.at(-1).body.toString(), /"ip"/);
  const text = await router.post('/secretive', 'card 4111', { 'content-type': 'text/plain' });
  assert.equal((await router.eventIn(JSON.parse(text.body).id, 'done')).body, '(hidden)');
  await router.stop();
  const offline = await router.command('events', 'show', event.id, '--json');
  assert.deepEqual(JSON.parse(offline.stdout).body, event.body);
  assert.doesNotMatch(router.said, /4111/);
});
