// What a rule hands back, at its worst, with a real target behind it: the event says where and what, and nothing of it was sent.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, startTarget } from './support.js';

// One line each, after a good message to `a`; the text that the event's error has.
const lines = {
  'second-bad': ['send(b, { json = { items = { 1, 2, { price = 0 / 0 } } } })', 'send: json.items[3].price is NaN'],
  cycle: ['local c = {} c.c = c send(b, { json = c })', 'send: json.c contains itself'],
  deep: ['local x = {} for i = 1, 1e5 do x = { x } end send(b, { json = x })', 'is nested deeper than 128'],
  huge: ["send(b, { text = ('x'):rep(17 * 2 ^ 20) })", 'the message is larger than 16 MiB'],
  header: ["send(b, { text = 'x', headers = { ['X-A'] = event.body.line } })", "the header 'X-A' has a line end"],
  'header-and-secret': ["send(b, { text = 'x', headers = { ['X-A'] = event.body.line .. secret 'TOKEN' } })", "'X-A' has a line end"],
  'header-name': ['send(b, { text = "x", headers = { [event.body.line] = "1" } })', 'is not a header name'],
  framing: ["send(b, { text = 'x', headers = { ['Content-Length'] = '0' } })", 'is made by tidewire itself'],
  method: ["send(b, { text = 'x', method = event.body.line })", 'is none of GET, HEAD, POST'],
  path: ['send(b, { text = "x", path = event.body.line })', 'path has a line end'],
  'path-up': ["send(b, { text = 'x', path = '/orders/' .. url.escape '../admin' })", "'.' and '..' in a path are refused"],
  'path-nul': ["send(b, { text = 'x', path = 'a/\\0002e\\0002e/admin' })", 'path has a line end or another control byte'],
  'path-long': ["send(b, { text = 'x', path = ('a'):rep(2 ^ 20) })", 'path is 1048576 bytes long, at most 8192'],
  'no-body': ['send(b, { json = event.body.gone })', 'the message has no body'],
  list: ['local l = { a, event.body.gone, b } send(l, event)', 'the list of targets has a hole: place 2 is nil'],
  name: ["send({ a, 'b' }, event)", 'not its name at place 2 of the list'],
  drop: ['drop(event.body)', 'drop wants a reason as text'],
};
const HEAD = 4; // lines before the first route, which takes four

const body = JSON.stringify({ line: '1\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\n' });
let target;
let evil;
let router;

before(async () => {
  target = await startTarget();
  evil = await startTarget();
  const host = `127.0.0.1:${evil.port}`;
  const bad = Object.entries(lines).map(([name, [code]]) => `route "/${name}" { verify = verify.none "a test", retry = { attempts = 1 }, handle = function(event)
  send(a, event)
  ${code}
end }
`);
  const plain = (name, message) => `route "/${name}" { verify = verify.none "a test", handle = function(event) send(b, ${message}) end }\n`;
  router = await Router.start({
    'x.lua': `local a = target "a" { url = "${target.url}/a", private = true }
local b = target "b" { url = "${target.url}", private = true }

${bad.join('')}${plain('at-host', `{ text = "x", path = "@${host}/evil" }`)}${plain('slashes', `{ text = "x", path = "//${host}/evil" }`)}`
      + plain('whole-url', `{ text = "x", path = "http://${host}/evil" }`)
      + plain('port', `{ text = "x", path = ":${evil.port}/evil" }`)
      + plain('query', '{ text = "x", query = { ["a&b"] = event.body.line } }')
      + `route "/caught" { verify = verify.none "a test", handle = function(event)
           pcall(send, { a, b, "c" }, event) pcall(send, { a, b }, { json = { x = print } }) send(b, { text = "after", path = "/caught" })
         end }\n`
      + `route "/returns" { verify = verify.none "a test", handle = function(event) return { status = 500 }, 0 / 0, print end }\n`,
  }, { env: { TOKEN: 'a secret' } });
});

after(async () => {
  await router?.end();
  await target?.close();
  await evil?.close();
});

async function post(name, ...states) {
  const answer = await router.post(`/${name}`, body, { 'content-type': 'application/json' });
  assert.equal(answer.status, 202);
  return router.eventIn(answer.headers['tidewire-event-id'], ...states);
}

for (const [i, [name, [, text]]] of Object.entries(lines).entries()) {
  test(`${name}: the event has the line, and nothing of it was sent`, async () => {
    const event = await post(name, 'dead', 'failed');
    const place = `error: rules/x.lua:${HEAD + 4 * i + 2}: `;
    assert.ok(event.reason?.startsWith(place), `${event.reason} begins with ${place}`);
    assert.ok(event.reason.includes(text), `${event.reason} has ${text}`);
    assert.deepEqual(event.deliveries, []);
  });
}

test('the good message before a bad one never reached its target', () => {
  assert.deepEqual(target.received.filter((one) => one.url.startsWith('/a')), []);
});

for (const name of ['at-host', 'slashes', 'whole-url', 'port']) {
  test(`a path stays at its target: ${name}`, async () => {
    const before = target.received.length;
    const event = await post(name, 'done');
    assert.equal(event.deliveries[0].state, 'delivered');
    assert.equal(target.received.length, before + 1);
    assert.match(target.received.at(-1).url, /^\/.*\/evil$/);
    assert.equal(target.received.at(-1).headers.host, `127.0.0.1:${target.port}`);
  });
}

test('line ends in a query go out escaped', async () => {
  await post('query', 'done');
  const got = target.received.find((one) => one.url.includes('?'));
  assert.match(got.url, /^\/\?a%26b=1%0D%0AX-Evil%3A%201%0D%0A/);
  assert.equal(got.headers['x-evil'], undefined);
});

test('a pcall around send keeps no half of a list, and what comes after is sent', async () => {
  const event = await post('caught', 'done');
  assert.equal(event.deliveries.length, 1);
  assert.equal(target.received.filter((one) => one.url === '/caught').length, 1);
});

test('what a handler returns is nobody\'s business', async () => {
  const event = await post('returns', 'done');
  assert.deepEqual(event.deliveries, []);
});

test('nothing reached another host, and no header was made of a value', () => {
  assert.deepEqual(evil.received, []);
  assert.ok(target.received.every((one) => one.headers['x-evil'] === undefined && one.url !== '/evil'));
});
