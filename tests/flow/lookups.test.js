// http.* in handlers: what they ask of other servers, what is seen of it, and how many may wait.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LONG, Router, freePort, startTarget, until } from './support.js';

const json = { 'content-type': 'application/json' };
const TOKEN = 'not to be seen';
const sanitized = ['asan', 'tsan'].includes(process.env.TIDEWIRE_PRESET);
const ONCE = 'retry = { attempts = 1 },';

const route = (path, code, more = '') => `route "${path}" { verify = verify.none "a test", ${more} handle = function(event) ${code} end }\n`;
const get = (url, options = '') => `http.get("${url}", { private = true, ${options} })`;

async function post(router, path, body = {}) {
  const answer = await router.post(path, JSON.stringify(body), json);
  assert.equal(answer.status, 202, answer.body);
  return answer.headers['tidewire-event-id'];
}

/** Posts `count` events over some connections at a time. */
async function postMany(router, path, count, body = {}) {
  router.agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const ids = [];
  let left = count;
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (left-- > 0) ids.push(await post(router, path, body));
  }));
  return ids;
}

/** A server that answers when it is told to: `open` requests wait, `most` of them did at one time. */
async function startSlow() {
  const slow = { open: [], most: 0, connections: 0, requests: 0, released: false };
  const server = http.createServer((request, response) => {
    request.resume();
    slow.requests++;
    if (slow.released) {
      response.end('late');
      return;
    }
    slow.open.push(response);
    slow.most = Math.max(slow.most, slow.open.length);
  });
  server.on('connection', () => slow.connections++);
  server.keepAliveTimeout = 60000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  slow.url = `http://127.0.0.1:${server.address().port}`;
  slow.answer = (body = 'late') => {
    for (const response of slow.open.splice(0)) response.end(body);
  };
  slow.release = () => {
    slow.released = true;
    slow.answer();
  };
  slow.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return slow;
}

const waiting = async (router) => (await router.status()).workers.reduce((sum, worker) => sum + worker.waiting_handlers, 0);

describe('a handler that asks', () => {
  let server;
  let sink;
  let router;
  let deadPort;

  before(async () => {
    deadPort = await freePort();
    sink = await startTarget();
    server = await startTarget((request) => {
      const url = new URL(request.url, 'http://x');
      const seen = { method: request.method, url: request.url, headers: request.headers, body: request.body.toString() };
      switch (url.pathname) {
        case '/status': return { status: Number(url.searchParams.get('s')), headers: { location: `${server.url}/json` }, body: 'bytes' };
        case '/json': return { headers: { 'Content-Type': 'application/json', 'X-Two': ['a', 'b'] }, body: '{"plan":"pro","id":12345678901234567,"none":null}' };
        case '/customers/7': return { headers: json, body: '{"plan":"enterprise"}' };
        case '/customers/busy': return { status: 503 };
        case '/null': return { body: 'null' };
        case '/broken': return { headers: json, body: '{"plan":' };
        case '/never': return { never: true };
        case '/reset': return { reset: true };
        case '/head': return { headers: { 'X-Long': 'x'.repeat(70000) } };
        case '/big': return { body: 'x'.repeat(Number(url.searchParams.get('n'))) };
        case '/echo': return { headers: json, body: JSON.stringify(seen) };
        default: return { status: 404, body: 'not here' };
      }
    });
    router = await Router.start({
      'a.lua': `local sink = target "sink" { url = "${sink.url}", private = true }
local base = "${server.url}"
local function tell(value) send(sink, { json = value }) end
${route('/statuses', `
  local seen = {}
  for i, s in ipairs(event.body.list) do
    local answer = http.get(base .. "/status", { private = true, query = { s = s } })
    seen[i] = answer.status .. answer.body
  end
  tell { list = seen }`)}
${route('/view', `
  local answer = http.get(base .. "/json", { private = true })
  local listed = {}
  for name, value in pairs(answer.headers) do listed[name] = value end
  tell { json = answer.json, plan = answer.json.plan, none = tostring(answer.json.none), id = "" .. answer.json.id, body = answer.body,
    type = answer.headers["CONTENT-type"], two = answer.headers["x-two"], absent = tostring(answer.headers.absent), listed = listed["x-two"],
    writable = tostring(pcall(function() answer.json.plan = 1 end)) }`)}
${route('/none', `
  tell { broken = tostring(http.get(base .. "/broken", { private = true }).json), null = tostring(http.get(base .. "/null", { private = true }).json),
    text = tostring(http.get(base .. "/text", { private = true }).json) }`)}
${route('/echo', `
  local o = event.body
  local answer = http.request(base .. "/echo?k=" .. secret "TOKEN_ESCAPED", { private = true, method = o.method, json = o.json and { given = o.json, token = secret "TOKEN" },
    text = o.text, content_type = o.content_type, query = { q = o.q }, headers = { ["X-Mine"] = "my " .. secret "TOKEN" },
    auth = o.basic and auth.basic { user = "me", password = secret "TOKEN" } or auth.bearer(secret "TOKEN") })
  tell { method = answer.json.method, url = answer.json.url, headers = answer.json.headers, body = answer.json.body }`)}
${route('/words', `
  local seen = {}
  for i, name in ipairs { "get", "post", "put", "patch", "delete" } do
    local given = name ~= "get" and name ~= "delete" and { n = i } or nil
    local answer = http[name](base .. "/echo", { private = true, json = given })
    seen[i] = answer.json.method .. " " .. answer.json.body
  end
  tell { list = seen }`)}
${route('/errors', `
  local seen = {}
  local function try(name, ...)
    local ok, why = pcall(...)
    seen[name] = ok and "answered " .. why.status or why
  end
  try("refused", http.get, "http://127.0.0.1:${deadPort}/", { private = true })
  try("slow", http.get, base .. "/never?token=hidden", { private = true, timeout = "100ms" })
  try("reset", http.get, base .. "/reset", { private = true })
  try("guard", http.get, base .. "/text")
  try("name", http.get, "http://no-such-name.invalid/")
  try("large", http.get, base .. "/big?n=1048577", { private = true })
  try("fits", http.get, base .. "/big?n=1048576", { private = true })
  try("small", http.get, base .. "/big?n=11", { private = true, max_response = "10B" })
  try("most", http.get, base .. "/big?n=16777216", { private = true, max_response = "16MiB" })
  try("tls", http.get, "https://127.0.0.1:${server.port}/", { private = true })
  try("head", http.get, base .. "/head", { private = true })
  try("unset", http.get, base .. "/text", { private = true, auth = auth.bearer(secret "NOT_SET") })
  try("lines", http.get, base .. "/text", { private = true, auth = auth.bearer(secret "LINES") })
  local _, why = pcall(auth.bearer, "text")
  seen.no_text = why
  tell(seen)`)}
${route('/all', `
  local got = http.all { a = { url = base .. "/json", private = true },
    [2] = { url = base .. "/echo", private = true, method = "POST", json = { x = 1 } } }
  tell { a = got.a.json.plan, b = got[2].json.method, n = tostring(got.c) }`)}
${route('/allfails', `http.all { good = { url = base .. "/never", private = true }, bad = { url = "http://127.0.0.1:${deadPort}/", private = true } }`, ONCE)}
${route('/unanswered', 'http.get(base .. "/never", { private = true })', `${ONCE} limits = { handler_time = "200ms" },`)}
${route('/again', `if event.attempt < 2 then http.get("http://127.0.0.1:${deadPort}/", { private = true }) end`, 'retry = { first = "50ms", factor = 1, attempts = 3 },')}
${route('/tickets', `
  local id = event.body.customer_id
  local customer
  local answer = http.get(url.join(env "CRM_URL", "/customers", id), { auth = auth.bearer(secret "TOKEN"), timeout = "3s", private = true })
  if answer.status == 404 then
    customer = { plan = "unknown" }
  elseif answer.status ~= 200 then
    return retry("CRM said " .. answer.status, { after = "20s" })
  else
    customer = answer.json
  end
  send(sink, { json = merge(event.body, { plan = customer.plan, priority = customer.plan == "enterprise" and "high" or "normal" }) })`)}
`,
    }, { env: { TOKEN, TOKEN_ESCAPED: 'not%20to%20be%20seen', LINES: 'a\r\nX-Evil: 1', CRM_URL: server.url, TIDEWIRE_LOG_LEVEL: 'debug' } });
  });
  after(async () => {
    await router?.end();
    await server?.close();
    await sink?.close();
  });

  /** What the handler told the sink, and its event. */
  async function told(path, body = {}) {
    const id = await post(router, path, body);
    const event = await until(`${path} to end`, async () => {
      const now = await router.event(id);
      assert.equal(now.reason, null);
      return now.state === 'done' && now;
    });
    return [JSON.parse(event.deliveries[0].message), event];
  }

  test('an answer of any status returns, redirects too', async () => {
    const [seen] = await told('/statuses', { list: [200, 302, 404, 500, 599] });
    assert.deepEqual(seen.list, ['200bytes', '302bytes', '404bytes', '500bytes', '599bytes']);
  });

  test('json is a view, headers are found in any letter case', async () => {
    const [seen, event] = await told('/view');
    assert.ok(event.deliveries[0].message.includes('"json":{"plan":"pro","id":12345678901234567,"none":null}'));
    assert.deepEqual({ ...seen, json: 0 }, { json: 0, plan: 'pro', none: 'nil', id: '12345678901234567', type: 'application/json', two: 'a, b',
      body: '{"plan":"pro","id":12345678901234567,"none":null}', absent: 'nil', listed: 'a, b', writable: 'false' });
  });

  test('json is nil when the body is not JSON', async () => {
    assert.deepEqual((await told('/none'))[0], { broken: 'nil', null: 'nil', text: 'nil' });
  });

  test('secrets are filled in when it is sent, and seen nowhere else', async () => {
    const [seen, event] = await told('/echo', { method: 'PUT', json: { a: 1 }, q: 'a b' });
    assert.equal(seen.method, 'PUT');
    assert.equal(seen.url, '/echo?k=not%20to%20be%20seen&q=a%20b');
    assert.equal(seen.headers['x-mine'], `my ${TOKEN}`);
    assert.equal(seen.headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(seen.headers['content-type'], 'application/json');
    assert.equal(seen.headers['idempotency-key'], undefined);
    assert.equal(seen.body, `{"given":{"a":1},"token":"${TOKEN}"}`);
    const [basic] = await told('/echo', { method: 'POST', text: 'hello', basic: true, content_type: 'text/x-mine' });
    assert.equal(basic.headers.authorization, `Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}`);
    assert.equal(basic.headers['content-type'], 'text/x-mine');
    assert.equal(basic.body, 'hello');
    const [lookup] = event.lookups;
    assert.deepEqual({ ...lookup, at: 0, took_ms: 0 }, { try: 1, at: 0, method: 'PUT', url: `${server.url}/echo?k=secret:TOKEN_ESCAPED&q=a%20b`, status: 200,
      error_type: null, took_ms: 0 });
    const shown = await router.command('events', 'show', event.id);
    assert.ok(shown.stdout.includes(`asked PUT ${server.url}/echo?k=secret:TOKEN_ESCAPED&q=a%20b  200`), shown.stdout);
    const line = await until('its log line', () => router.output.split('\n').find((text) => text.includes('"msg":"lookup"') && text.includes(event.id)));
    assert.equal(JSON.parse(line).url, lookup.url);
    assert.ok(!router.output.includes(TOKEN) && !router.output.includes('not%20to'), 'no log line has the value');
  });

  test('each word has its method', async () => {
    assert.deepEqual((await told('/words'))[0].list, ['GET ', 'POST {"n":2}', 'PUT {"n":3}', 'PATCH {"n":4}', 'DELETE ']);
  });

  test('no answer is an error that pcall catches', async () => {
    const [seen, event] = await told('/errors');
    const says = (name, words) => assert.match(seen[name], new RegExp(`^rules/a\\.lua:\\d+: http\\.get: ${words}`), name);
    says('refused', `http://127\\.0\\.0\\.1:${deadPort}/: nobody answers there \\(connect\\)$`);
    says('slow', `${server.url}/never: .* \\(timeout\\)$`);
    says('reset', '.* \\(reset\\)$');
    says('guard', '.*: a private address: write private = true into the options if that is meant \\(blocked_address\\)$');
    says('name', '.* \\(dns\\)$');
    says('large', '.*: the answer is larger than max_response \\(1048576 bytes\\) \\(protocol\\)$');
    says('small', '.*: the answer is larger than max_response \\(10 bytes\\)');
    says('tls', '.* \\(tls\\)$');
    says('head', '.* \\(protocol\\)$');
    says('unset', '.*: a secret of this request is not set \\(config\\)$');
    says('lines', '.*: a header with a line end or a zero byte in it \\(config\\)$');
    assert.match(seen.no_text, /^rules\/a\.lua:\d+: auth\.bearer: .*wants a secret, got "text"/);
    assert.equal(seen.fits, 'answered 200');
    assert.equal(seen.most, 'answered 200');
    assert.deepEqual(event.lookups.map((one) => one.error_type ?? one.status),
      ['connect', 'timeout', 'reset', 'blocked_address', 'dns', 'protocol', 200, 'protocol', 200, 'tls', 'protocol', 'config', 'config']);
  });

  test('all ask side by side, and the one without an answer is named', async () => {
    assert.deepEqual((await told('/all'))[0], { a: 'pro', b: 'POST', n: 'nil' });
    const event = await router.eventIn(await post(router, '/allfails'), 'dead');
    assert.match(event.reason, /http\.all: bad: http:\/\/127\.0\.0\.1:\d+\/: nobody answers there/);
    assert.deepEqual(event.lookups.map((one) => one.error_type).sort(), [null, 'connect'].sort());
  });

  test('a wait that takes too long shows what it waited for', async () => {
    const event = await router.eventIn(await post(router, '/unanswered'), 'dead');
    assert.match(event.reason, /^wait: rules\/a\.lua:\d+: in 'handle': longer than handler_time \(200 ms\)$/);
    assert.deepEqual([event.lookups.length, event.lookups[0].status, event.lookups[0].error_type], [1, null, null]);
    assert.ok(event.lookups[0].took_ms >= 150);
    assert.match((await router.command('events', 'show', event.id)).stdout, /never {2}no answer yet/);
  });

  test('without an answer the handler is tried again, and each try says what it asked', async () => {
    const event = await router.eventIn(await post(router, '/again'), 'done');
    assert.equal(event.attempt, 3);
    assert.deepEqual(event.lookups.map((one) => [one.try, one.error_type]), [[2, 'connect'], [1, 'connect']]);
  });

  test('enrichment by a look-up', async () => {
    assert.deepEqual((await told('/tickets', { customer_id: '7', a: 1 }))[0], { customer_id: '7', a: 1, plan: 'enterprise', priority: 'high' });
    assert.deepEqual((await told('/tickets', { customer_id: '8' }))[0], { customer_id: '8', plan: 'unknown', priority: 'normal' });
    const id = await post(router, '/tickets', { customer_id: 'busy' });
    const event = await until('it to be tried', async () => (await router.event(id))?.reason && router.event(id));
    assert.equal(event.reason, 'retry: CRM said 503');
    assert.ok(Date.parse(event.next_at) - Date.now() > 10000);
  });

  test('metrics count what came of it', async () => {
    const { body } = await router.get('/metrics');
    const value = (line) => Number(body.split('\n').find((text) => text.startsWith(`tidewire_${line} `))?.split(' ').at(-1));
    assert.equal(value('lookups_total{route="/errors",outcome="answered"}'), 2);
    assert.equal(value('lookups_total{route="/errors",outcome="protocol"}'), 3);
    assert.equal(value('lookups_total{route="/view",outcome="dns"}'), 0);
    assert.equal(value('lookup_duration_seconds_count{route="/words"}'), 5);
    assert.ok(value('lookup_duration_seconds_sum{route="/errors"}') >= 0.1);
  });
});

describe('handlers that wait for a slow server', () => {
  let slow;
  let router;
  before(async () => {
    slow = await startSlow();
    router = await Router.start({ 'a.lua': route('/slow', get(`${slow.url}/`)) + route('/chain', `for _ = 1, 50 do ${get(`${slow.url}/`)} end`) });
  });
  after(async () => {
    await router?.end();
    slow?.close();
  });

  test('the sender is answered first, and others wait for nobody', async () => {
    const id = await post(router, '/slow'); // 202, and the server has not answered yet
    await until('the question', () => slow.open.length === 1);
    assert.equal((await router.event(id)).state, 'waiting');
    slow.answer();
    await router.eventIn(id, 'done');
  });

  test('1,000 at once: 32 to one host in each worker, and all are answered', async () => {
    slow.most = 0;
    const ids = await postMany(router, '/slow', 1000);
    await until('all to wait', async () => (await waiting(router)) === 1000);
    const workers = (await router.status()).workers.filter((worker) => worker.waiting_handlers > 0);
    await until('as many as may be', () => slow.open.length >= Math.min(...workers.map((worker) => worker.waiting_handlers), 32));
    slow.release();
    for (const id of ids) await router.eventIn(id, 'done');
    assert.ok(slow.most <= 64, `${slow.most} at once`);
  });

  test('connections are used again', async () => {
    const before = slow.connections;
    await router.eventIn(await post(router, '/chain'), 'done');
    assert.ok(slow.connections - before <= 1, `${slow.connections - before} new connections for 50 requests`);
  });
});

test('a handler that waits ends in the rules it began with', async () => {
  const slow = await startSlow();
  const router = await Router.start({ 'a.lua': route('/slow', `${get(`${slow.url}/`)} drop "by the first rules"`) }, { flags: ['--no-watch'] });
  try {
    const id = await post(router, '/slow');
    await until('the question', () => slow.open.length === 1);
    await router.write('a.lua', route('/slow', 'drop "by the second rules"'));
    assert.equal((await router.command('reload')).code, 0);
    slow.answer();
    assert.equal((await router.eventIn(id, 'dropped')).reason, 'by the first rules');
    assert.equal((await router.eventIn(await post(router, '/slow'), 'dropped')).reason, 'by the second rules');
  } finally {
    await router.end();
    slow.close();
  }
});

test('an event whose handler waited when the server was killed runs again', async () => {
  const slow = await startSlow();
  const router = await Router.start({ 'a.lua': route('/slow', get(`${slow.url}/`)) });
  try {
    const id = await post(router, '/slow');
    await until('the question', () => slow.open.length === 1);
    await router.stop('SIGKILL');
    await until('the server to be gone', async () => (await router.get('/healthz').catch(() => null)) === null);
    await router.launch();
    await until('it to be asked again', () => slow.requests === 2);
    slow.release();
    const event = await router.eventIn(id, 'done');
    assert.equal(event.attempt, 1);
    assert.equal(event.lookups.length, 1);
  } finally {
    await router.end();
    slow.close();
  }
});

/** Resident memory of the server, the supervisor's child, in MB. */
async function residentMemory(router) {
  const pid = router.process.pid;
  const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child}/status`, 'utf8'))[1]) * 1024 / 1e6;
}

describe('bodies of handlers that wait are with the store', () => {
  const COUNT = 40; // of half a MB each: more than is kept
  const pad = 'x'.repeat(512 << 10);
  let slow;
  let sink;
  let router;

  before(async () => {
    slow = await startSlow();
    sink = await startTarget();
    const all = `local answers = http.all {
      a = { url = "${slow.url}/a", private = true, timeout = "1m" }, b = { url = "${slow.url}/b", private = true, timeout = "1m" } }`;
    const tell = 'send(to, { json = { n = view.n, again = event.body.n, list = copy(view.list), raw = #event.raw, text = #view.pad, answers = answers } })';
    router = await Router.start({ 'a.lua': `local to = target "sink" { url = "${sink.url}/", private = true, concurrency = 8 }\n`
      + route('/one', `local view = event.body local answers = ${get(slow.url, 'timeout = "1m"')}.body ${tell}`)
      + route('/two', `local view = event.body ${all} answers = answers.a.body .. answers.b.body ${tell}`)
      + route('/naps', `local view, answers = event.body, 0 sleep "1ms" for i = 1, 3 do sleep "100ms" answers = answers + view.n end ${tell}`)
      + route('/long', 'sleep "1m"', `limits = { handler_time = "2s" }, ${ONCE}
          on_error = function(event, why) send(to, { json = { n = event.body.n, text = #event.body.pad, answers = "late" } }) end,`)
      + route('/quick', 'return 1') }, { flags: ['--workers', '1'] });
  });

  after(async () => {
    await router.end();
    sink.close();
    slow.close();
  });

  const bodyOf = (n) => JSON.stringify({ n, list: [n, { deep: `é${n}` }], pad });

  async function postAll(path, headers = {}, encode = (text) => text) {
    sink.received.length = 0;
    slow.released = false;
    for (let n = 0; n < COUNT; n++) {
      const answer = await router.post(path, encode(bodyOf(n)), { ...json, ...headers });
      assert.equal(answer.status, 202, answer.body);
    }
  }

  /** All arrived, once each, with what was in their bodies. */
  async function checkAll(answerOf, raw = (n) => Buffer.byteLength(bodyOf(n))) {
    await until('all to arrive', () => sink.received.length === COUNT);
    const got = sink.received.map((one) => JSON.parse(one.body)).sort((a, b) => a.n - b.n);
    got.forEach((one, n) => assert.deepEqual(one,
      { n, again: n, list: [n, { deep: `é${n}` }], raw: raw(n), text: pad.length, answers: answerOf(n) }));
  }

  test('and come back with an answer; views of before hold', async () => {
    await postAll('/one');
    await until('all to wait', async () => (await waiting(router)) === COUNT);
    if (!sanitized) assert.ok(await residentMemory(router) < 80, 'half of the bodies would be 10 MB, their requests as much');
    assert.equal((await router.post('/quick', '{}', json)).status, 202);
    slow.release();
    await checkAll(() => 'late');
  });

  test('and with several answers that come meanwhile', async () => {
    await postAll('/two');
    await until('all to wait', async () => (await waiting(router)) === COUNT);
    slow.release();
    await checkAll(() => 'latelate');
  });

  test('with a Content-Encoding too', async () => {
    await postAll('/one', { 'content-encoding': 'gzip' }, gzipSync);
    await until('all to wait', async () => (await waiting(router)) === COUNT);
    slow.release();
    await checkAll(() => 'late', (n) => gzipSync(bodyOf(n)).length);
  });

  test('and as often as a handler waits', async () => {
    await postAll('/naps');
    await checkAll((n) => 3 * n);
  });

  test('and for on_error when the wait was too long', async () => {
    await postAll('/long');
    await until('all to arrive', () => sink.received.length === COUNT);
    const got = sink.received.map((one) => JSON.parse(one.body)).sort((a, b) => a.n - b.n);
    got.forEach((one, n) => assert.deepEqual(one, { n, text: pad.length, answers: 'late' }));
  });
});

async function answerTimes(router) {
  const times = [];
  for (let i = 0; i < 200; i++) {
    const start = performance.now();
    await post(router, '/quick');
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

for (const word of ['http.get', 'sleep']) {
  const count = LONG ? 10000 : 1000;
  test(`${count} handlers of one worker in ${word}: others are answered as before`, async () => {
    const slow = await startSlow();
    const code = word === 'sleep' ? 'sleep "5m"' : get(`${slow.url}/`, 'timeout = "5m"');
    const router = await Router.start({ 'a.lua': route('/slow', code, 'limits = { handler_time = "10m" },') + route('/quick', 'return 1') },
      { flags: ['--workers', '1'] });
    try {
      const before = await answerTimes(router);
      await postMany(router, '/slow', count, { pad: 'as large as a push'.repeat(400) });
      await until('all to wait', async () => (await waiting(router)) === count);
      const during = await answerTimes(router);
      const memory = await residentMemory(router);
      const at = LONG ? 198 : 100; // p99 on a machine that has nothing else to do, half of them on any
      assert.ok(during[at] < before[at] * 3 + 50, `${during[at]} ms, before ${before[at]} ms`);
      if (!sanitized) assert.ok(memory < 100, `${memory} MB`);
      if (word === 'http.get') assert.equal(slow.open.length, 32);
    } finally {
      await router.end();
      slow.close();
    }
  });
}
