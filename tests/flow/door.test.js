// The door: raw bytes on a socket.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, raw, request, startTarget } from './support.js';

let target;
let router;

before(async () => {
  target = await startTarget();
  router = await Router.start({
    'in.lua': `
      local t = target "t" { url = "${target.url}", private = true }
      route "/in" { verify = verify.none "a test", max_body = "64KiB", handle = function(event) send(t, event) end }
      route "/files/*rest" { verify = verify.none "a test", handle = function(event) drop(event.params.rest) end }
      route "/:source/hook" { verify = verify.none "a test", methods = { "POST", "PUT" }, handle = function(event) drop(event.params.source) end }
      route "/local" { verify = verify.none "a test", ip_allow = { "10.0.0.0/8" }, handle = function() end }
      route "/token" { verify = verify.bearer(secret "TOKEN"), handle = function() end }
      route "/off" { verify = verify.none "a test", enabled = false, handle = function() end }`,
  }, { env: { TOKEN: 'abc' } });
});

after(async () => {
  await router?.end();
  await target?.close();
});

const body = '{"n":1}';
const good = `POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const last = `POST /in HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));

test('a request is accepted however its bytes are cut', async () => {
  for (let at = 1; at < last.length; at++) {
    assert.deepEqual(statuses(await raw(router.port, [last.slice(0, at), last.slice(at)], { close: false })), [202], `cut at ${at}`);
  }
});

test('two hundred requests in one write are answered in order', async () => {
  const answers = await raw(router.port, [good.repeat(199) + last], { close: false });
  assert.equal(statuses(answers).length, 200);
  assert.ok(statuses(answers).every((status) => status === 202));
});

test('the good request is answered before the junk behind it is refused', async () => {
  assert.deepEqual(statuses(await raw(router.port, [`${good}JUNK\x01\r\n\r\n`], { close: false })), [202, 400]);
});

const cases = {
  'no route': ['POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 404],
  'a route that is off': ['POST /off HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 404],
  'another method': ['GET /in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 405],
  'HEAD': ['HEAD /in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 405],
  'a body past the route\'s limit': ['POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n', 413],
  'a chunked body past the limit': [`POST /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n${'x'.repeat(65537)}\r\n0\r\n\r\n`, 413],
  'no length': ['POST /in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 411],
  'no host': ['POST /in HTTP/1.1\r\nContent-Length: 0\r\n\r\n', 400],
  'two hosts': ['POST /in HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 400],
  'both lengths': ['POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  'two lengths': ['POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc', 400],
  'a length with a sign': ['POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc', 400],
  'a lone CR behind an empty value': ['POST /in HTTP/1.1\r\nHost: a\r\nX-A:\rContent-Length: 3\r\n\r\nabc', 400],
  'a bare LF': ['POST /in HTTP/1.1\nHost: a\n\n', 400],
  'a space before the colon': ['POST /in HTTP/1.1\r\nHost : a\r\nContent-Length: 0\r\n\r\n', 400],
  'HTTP/2.0 in clear': ['POST /in HTTP/2.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n', [400, 505]],
  'no version': ['POST /in\r\n\r\n', 400],
  'a header of 40 KiB': [`POST /in HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(40960)}\r\n\r\n`, 431],
  'a hundred and one headers': [`POST /in HTTP/1.1\r\nHost: a\r\n${'X-A: 1\r\n'.repeat(100)}\r\n`, 431],
  'a target of 9 KiB': [`POST /${'a'.repeat(9216)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
};

for (const [what, [bytes, status]] of Object.entries(cases)) {
  test(`${what}: ${status}`, async () => {
    const answer = await raw(router.port, [bytes], { close: false });
    const wanted = Array.isArray(status) ? status : [status];
    assert.ok(wanted.includes(statuses(answer)[0]), answer.slice(0, 300));
    if (!bytes.startsWith('HEAD')) assert.match(answer, /application\/problem\+json/i);
  });
}

test('a method that is not taken says which are', async () => {
  const answer = await request({ host: '127.0.0.1', port: router.port, path: '/a/hook', method: 'DELETE' });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, 'POST, PUT');
});

test('100-continue is sent when the body is wanted, and a refusal when it is not', async () => {
  const head = (route, length) => `POST ${route} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
  assert.deepEqual(statuses(await raw(router.port, [head('/in', 2), '{}'], { close: false })), [100, 202]);
  assert.deepEqual(statuses(await raw(router.port, [head('/in', 70000)], { close: false })), [413]);
});

test('parameters of the path are decoded', async () => {
  const answer = await router.post('/a%20b/hook', '');
  assert.equal(answer.status, 202);
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'dropped');
  assert.match(event.reason, /a b/);
  const rest = await router.post('/files/x/y.txt', '');
  assert.match((await router.eventIn(rest.headers['tidewire-event-id'], 'dropped')).reason, /x\/y\.txt/);
});

test('an address outside ip_allow is refused', async () => {
  assert.equal((await router.post('/local', '')).status, 403);
});

test('a bearer token is wanted whole', async () => {
  assert.equal((await router.post('/token', '', { authorization: 'Bearer abc' })).status, 202);
  for (const value of ['Bearer abcd', 'Bearer ab', 'Bearer ', 'Basic abc', 'abc', '']) {
    assert.equal((await router.post('/token', '', { authorization: value })).status, 401, value);
  }
  assert.equal((await router.post('/token', '')).status, 401);
});

test('the bytes of a body are the bytes that are sent on', async () => {
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i & 255));
  const answer = await router.post('/in', bytes, { 'content-type': 'application/octet-stream' });
  await router.eventIn(answer.headers['tidewire-event-id'], 'done');
  const got = target.received.find((one) => one.headers['content-type'] === 'application/octet-stream');
  assert.deepEqual(got.body, bytes);
});
