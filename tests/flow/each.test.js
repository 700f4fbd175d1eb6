// `each = true`: one request, many events, one answer.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { Router, SECRET, startTarget, until } from './support.js';

let target;
let router;

const rules = (url) => {
  const none = 'verify = verify.none "a test"';
  const pass = 'handle = function(event) send(t, event) end';
  return `
local t = target "t" { url = "${url}/t", private = true, order_by = nil }
route "/list" { ${none}, each = true, dedupe = "body.id", ${pass} }
route "/named" { ${none}, each = true, dedupe = "headers.x-id", ${pass} }
route "/joined" { ${none}, each = true, dedupe = "body.id", ${pass} }
route "/plain" { ${none}, each = true, ${pass} }
route "/below" { ${none}, each = "body.events", ${pass} }
route "/only" { ${none}, each = true, when = { ["body.kind"] = "a" }, ${pass} }
route "/received" { ${none}, each = true, ack = "received", keep = false, ${pass} }
route "/waits" { ${none}, each = true, handle = function(event) sleep "20ms" send(t, { json = { event.body.id } }) end }
route "/reply" { ${none}, each = true, reply = { status = 200, text = "ok" }, handle = function() drop "x" end }
route "/many" { ${none}, each = true, max_body = "8MiB", handle = function(event) drop(event.body) end }
route "/fails" { ${none}, each = true, retry = { attempts = 1 }, handle = function(event) assert(event.body.id ~= 2) send(t, event) end }
route "/signed" { from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" }, dedupe = "body.id", each = true, ${pass} }
`;
};

before(async () => {
  target = await startTarget();
  router = await Router.start({ 'each.lua': rules(target.url) });
});

after(async () => {
  await router?.end();
  await target?.close();
});

const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = { 'content-type': 'application/x-ndjson' };

/** What arrives at the target from one post, once it is `count` messages; sorted. */
async function arrives(count, route, body, headers = JSON_TYPE) {
  const first = target.received.length;
  const answer = await router.post(route, body, headers);
  assert.ok(answer.status < 300, `${answer.status} ${answer.body}`);
  await until(`${count} messages`, () => target.received.length - first >= count);
  const got = target.received.slice(first);
  assert.equal(got.length, count);
  return { answer, requests: got, bodies: got.map((request) => request.body.toString()).sort() };
}

test('each item of a list is an event with the bytes it came with', async () => {
  const { answer, bodies, requests } = await arrives(3, '/list', '[ {"id":1, "n":1.50},\n {"id" : 2},"x" ]');
  assert.deepEqual(bodies, ['"x"', '{"id" : 2}', '{"id":1, "n":1.50}']);
  assert.ok(requests.every((request) => request.headers['content-type'] === 'application/json'));
  const said = JSON.parse(answer.body);
  assert.deepEqual([answer.status, said.count, said.id], [202, 3, answer.headers['tidewire-event-id']]);
  const first = await router.eventIn(said.id, 'done');
  assert.deepEqual(first.body, { id: 1, n: 1.5 });
});

test('items that were there before are not handled again, in one request or the next', async () => {
  const { bodies, answer } = await arrives(2, '/list', '[{"id":"a"},{"id":"b"},{"id":"a"}]');
  assert.deepEqual(bodies, ['{"id":"a"}', '{"id":"b"}']);
  assert.equal(JSON.parse(answer.body).count, 2);
  const more = await arrives(1, '/list', '[{"id":"a"},{"id":"c"},{"id":"b"}]');
  assert.deepEqual(more.bodies, ['{"id":"c"}']);
  assert.deepEqual(JSON.parse(more.answer.body), { id: JSON.parse(answer.body).id, count: 1 });
  assert.equal(more.answer.headers['tidewire-duplicate'], undefined);
  const again = await router.post('/list', '[{"id":"a"},{"id":"c"}]', JSON_TYPE);
  assert.deepEqual([again.status, again.headers['tidewire-duplicate'], JSON.parse(again.body).count], [202, 'true', 0]);
});

test('a key that names the request is one of each item', async () => {
  const headers = { ...JSON_TYPE, 'x-id': 'r1' };
  const { answer } = await arrives(3, '/named', '[{"id":1},{"id":1},{"id":2}]', headers);
  assert.equal(JSON.parse(answer.body).count, 3);
  const again = await router.post('/named', '[{"id":1},{"id":1},{"id":2}]', headers);
  assert.deepEqual([again.headers['tidewire-duplicate'], JSON.parse(again.body).count], ['true', 0]);
  await arrives(2, '/named', '[{"id":1},{"id":1}]', { ...headers, 'x-id': 'r2' });
  await arrives(2, '/joined', '[{"id":1},{"id":1},{"id":2}]', headers);
});

test('NDJSON, also compressed, gives an event per line; its type is JSON', async () => {
  const text = '{"id":"n1"}\n\n{"id":"n2"}\r\n';
  for (const [body, extra] of [[text, {}], [zlib.gzipSync(text), { 'content-encoding': 'gzip' }]]) {
    const { bodies, requests } = await arrives(2, '/plain', body, { ...LINES, ...extra });
    assert.deepEqual(bodies, ['{"id":"n1"}', '{"id":"n2"}']);
    assert.ok(requests.every(({ headers }) => headers['content-type'] === 'application/json' && !headers['content-encoding']));
  }
  const before = (await router.events()).length;
  const refused = await router.post('/plain', '{"id":1}\n{"id":', LINES);
  assert.equal(refused.status, 400);
  assert.equal((await router.events()).length, before);
});

test('a list below a path; what is no list is one event; an empty list is none', async () => {
  assert.deepEqual((await arrives(2, '/below', '{"events":[1,{"a":2}],"more":3}')).bodies, ['1', '{"a":2}']);
  assert.deepEqual((await arrives(1, '/below', '{"events":7}')).bodies, ['{"events":7}']);
  assert.deepEqual((await arrives(1, '/plain', '{"a":1}')).bodies, ['{"a":1}']);
  assert.deepEqual((await arrives(1, '/plain', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' })).bodies, ['a=1']);
  const empty = await router.post('/plain', '[]', JSON_TYPE);
  assert.deepEqual([empty.status, empty.body], [202, '{"ignored":true}\n']);
});

test('when judges each item', async () => {
  assert.deepEqual((await arrives(1, '/only', '[{"kind":"b"},{"kind":"a"}]')).bodies, ['{"kind":"a"}']);
  const none = await router.post('/only', '[{"kind":"b"},{"kind":"c"}]', JSON_TYPE);
  assert.deepEqual([none.status, none.body], [202, '{"ignored":true}\n']);
});

test('one that fails takes nothing from the others', async () => {
  const { answer } = await arrives(2, '/fails', '[{"id":1},{"id":2},{"id":3}]');
  assert.equal(JSON.parse(answer.body).count, 3);
  await until('the dead one', async () => (await router.events('&route=/fails')).some((event) => event.state === 'dead'));
});

test('items are answered for before they are stored, while they wait, and by the reply of the route', async () => {
  assert.equal((await arrives(3, '/received', '[1,2,3]')).bodies.length, 3);
  assert.deepEqual((await arrives(3, '/waits', '[{"id":1},{"id":2},{"id":3}]')).bodies, ['[1]', '[2]', '[3]']);
  const reply = await router.post('/reply', '[1,2]', JSON_TYPE);
  assert.deepEqual([reply.status, reply.body], [200, 'ok']);
});

test('a signature counts once for the request, and its items keep their own keys', async () => {
  const { sign } = await import('@octokit/webhooks-methods');
  const signed = async (body) => ({ ...JSON_TYPE, 'x-github-event': 'push', 'x-hub-signature-256': await sign(SECRET, body) });
  const list = '[{"id":"s1"},{"id":"s2"}]';
  assert.equal((await arrives(2, '/signed', list, await signed(list))).bodies.length, 2);
  const again = await router.post('/signed', list, await signed(list));
  assert.deepEqual([again.status, again.headers['tidewire-duplicate']], [202, 'true']);
  const unkeyed = '[{"no":1},{"no":2}]';
  assert.equal((await arrives(2, '/signed', unkeyed, await signed(unkeyed))).bodies.length, 2);
  const { length } = target.received;
  const repeated = await router.post('/signed', unkeyed, await signed(unkeyed));
  assert.deepEqual([repeated.status, repeated.headers['tidewire-duplicate']], [202, 'true']);
  assert.equal(target.received.length, length);
  await until('it to be counted', async () => (await router.event(JSON.parse(repeated.body).id)).duplicates === 1);
});

test('at most 10000 items, while others are answered', { timeout: 60000 }, async () => {
  const items = (n) => `[${Array.from({ length: n }, (_, i) => `"item ${i}"`).join(',')}]`;
  const others = [];
  let over = false;
  const list = router.post('/many', items(10000), JSON_TYPE).finally(() => (over = true));
  while (!over) others.push(await router.post('/reply', '[]', JSON_TYPE));
  const answer = await list;
  assert.deepEqual([answer.status, JSON.parse(answer.body).count], [202, 10000]);
  assert.ok(others.length > 0 && others.every(({ status }) => status === 200));
  const refused = await router.post('/many', items(10001), JSON_TYPE);
  assert.equal(refused.status, 413);
  assert.match(JSON.parse(refused.body).detail, /more than 10000 items/);
});

test('a client that goes away, or a reload, leaves no item half done', { timeout: 60000 }, async () => {
  const { connect } = await import('node:net');
  const body = JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ id: `gone ${i}` })));
  const first = target.received.length;
  const socket = connect(router.port, '127.0.0.1');
  socket.end(`POST /list HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  socket.destroySoon();
  await router.write('each.lua', `${rules(target.url)}\n-- changed`);
  await router.get('/v1/reload', 'POST');
  await until('all items', async () => {
    const got = target.received.length - first;
    if (got >= 500) return true;
    if (got === 0) return false;
    const again = await router.post('/list', body, JSON_TYPE); // what a sender does that has heard nothing
    return again.status === 202 && target.received.length - first >= 500;
  });
  const bodies = target.received.slice(first).map((request) => request.body.toString());
  assert.equal(new Set(bodies).size, 500);
  assert.equal(bodies.length, 500);
});

test('what could not be stored is refused as a whole, and a repetition adds what is missing', { timeout: 60000 }, async () => {
  const control = path.join(os.tmpdir(), `tidewire-each-${process.pid}`);
  const env = { TIDEWIRE_STORE_VFS: 'faults', TIDEWIRE_FAULTS_FILE: control };
  await writeFile(control, '');
  const faulty = await Router.start({ 'each.lua': rules(target.url) }, { env });
  try {
    const list = (n) => JSON.stringify(Array.from({ length: n }, (_, i) => ({ id: `full ${i}` })));
    const first = target.received.length;
    assert.equal((await faulty.post('/list', list(50), JSON_TYPE)).status, 202);
    await writeFile(control, 'full');
    const refused = await faulty.post('/list', list(200), JSON_TYPE);
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    await writeFile(control, '');
    const answer = await until('room', async () => {
      const again = await faulty.post('/list', list(200), JSON_TYPE);
      return again.status === 202 && again;
    });
    assert.ok(JSON.parse(answer.body).count <= 150);
    await until('all items', () => target.received.length - first >= 200);
    const bodies = target.received.slice(first).map((request) => request.body.toString());
    assert.equal(new Set(bodies).size, 200);
    assert.equal(bodies.length, 200);
  } finally {
    await faulty.end();
    await rm(control, { force: true });
  }
});

test('each with a content that is no list does not load', async () => {
  await router.write('each.lua', 'route "/x" { verify = verify.none "a test", each = true, content = "xml", handle = function() end }');
  const found = await router.command('check');
  assert.equal(found.code, 3);
  assert.match(found.stdout + found.stderr, /each wants a list, which is JSON or NDJSON, but content is "xml"/);
});
