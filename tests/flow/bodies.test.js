// Every kind of body, sent by real clients: fetch with FormData and URLSearchParams, zlib, brotli; and what hostile ones send.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { Router, startTarget, until } from './support.js';

let target;
let router;

const rules = (url) => {
  const none = 'verify = verify.none "a test"';
  const echo = `handle = function(event) send(t, { json = { body = event.body } }) end`;
  return `
local t = target "t" { url = "${url}/t", private = true }
local down = target "down" { url = "${url}/down", private = true, retry = { first = "50ms", factor = 1 } }
route "/any" { ${none}, ${echo} }
route "/form" { ${none}, content = "form", ${echo} }
route "/text" { ${none}, content = "text", ${echo} }
route "/json" { ${none}, content = "json", ${echo} }
route "/ndjson" { ${none}, content = "ndjson", ${echo} }
route "/multipart" { ${none}, content = "multipart", ${echo} }
route "/raw" { ${none}, content = "raw", handle = function(event)
  send(t, { json = { same = event.body == event.raw, hex = hex.encode(event.raw) } }) end }
route "/all" { ${none}, handle = function(event)
  send(t, { json = { all = form.all(event, "a[]"), none = #form.all(event, "b"), first = event.body["a[]"],
    got = event:get('body["a[]"]'), absent = event:get("body.gone", "default"), type = type(event.body.n),
    same = event.body == event.body, whole = event:get("body") == event.body } }) end }
route "/files" { ${none}, max_body = "2MiB", handle = function(event)
  local f = event.body.file
  send(t, { json = { name = f.filename, type = f.content_type, size = #f.bytes, sum = crypto.hash("sha256", f.bytes),
    field = event.body.field, files = #form.all(event, "file"), get = event:get("body.file.filename"),
    field_get = event:get("body.field"), bytes = #event:get("body.file.bytes") } }) end }
route "/hash" { ${none}, max_body = "1MiB", handle = function(event)
  send(t, { json = { size = #event.body, sum = crypto.hash("sha256", event.body), raw = #event.raw } }) end }
route "/pass" { ${none}, handle = function(event) send(t, event) end }
route "/stored" { ${none}, handle = function(event)
  if event.attempt == 0 then retry("again", { after = "50ms" }) end
  send(t, { json = { body = event.body, get = event:get("body.name") } }) end }
route "/when" { ${none}, when = { ["body.kind"] = { "paid", "part*" }, ["body.gone"] = json.null }, dedupe = "body.id", ${echo} }
route "/xml" { ${none}, content = "xml", handle = function(event)
  local order = event.body
  local lines = json.array {}
  for _, line in ipairs(xml.all(order, "line")) do
    lines[#lines + 1] = { sku = line.attr.sku, qty = tonumber(line.attr.qty) }
  end
  send(t, { json = { name = order.name, id = order.attr.id, number = xml.text(order, "number"), lines = lines,
    none = xml.text(order, "gone") == nil, again = xml.encode(order), got = event:get("body.number") == nil } }) end }
route "/taken" { ${none}, handle = function() drop "taken" end }
route "/small" { ${none}, retry = { attempts = 1 }, limits = { handler_memory = "2MiB" }, handle = function(event) drop(event.body.name) end }
route "/quick" { ${none}, retry = { attempts = 1 }, limits = { handler_cpu = "1ms" }, handle = function(event)
  for _ = 1, 1000 do drop(xml.decode(event.raw).name) end end }
route "/signed" { from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" }, ${echo} }
route "/make" { ${none}, handle = function(event)
  send(t, { form = { name = "Ann & Bob", tag = { "a b", 2 }, n = 1.5, yes = true, s = secret "FORM_SECRET" } })
  send(t, { xml = { "Response", attr = { v = "1" }, { "Message", "a < b & c" }, { name = "Empty" }, { "S", secret "FORM_SECRET" } } })
  send(t, { cloudevent = { type = "com.example.made", source = "/made", subject = "7", data = event.body } })
  send(t, { cloudevent = { type = "com.example.made", source = "/made", id = "mine", time = "2026-01-02T03:04:05Z" } })
  send(t, { form = {}, content_type = "application/x-www-form-urlencoded; charset=utf-8" })
end }
`;
};

before(async () => {
  target = await startTarget();
  router = await Router.start({ 'bodies.lua': rules(target.url) }, { env: { FORM_SECRET: '<&= é' } });
});

after(async () => {
  await router?.end();
  await target?.close();
});

/** Posts by fetch, waits for the event, returns what its handler saw. */
async function seen(route, body, headers = {}) {
  const first = target.received.length;
  const answer = await fetch(router.url + route, { method: 'POST', body, headers });
  assert.equal(answer.status, 202, await answer.clone().text());
  const event = await router.eventIn(answer.headers.get('tidewire-event-id'), 'done', 'dead');
  assert.equal(event.state, 'done', event.reason);
  await until('its message', () => target.received.length > first);
  return JSON.parse(target.received.at(-1).body);
}

async function refused(route, body, headers, status, detail) {
  const before = (await router.events()).length;
  const answer = await fetch(router.url + route, { method: 'POST', body, headers });
  assert.equal(answer.status, status);
  assert.match((await answer.json()).detail, detail);
  assert.equal((await router.events()).length, before, 'nothing is stored');
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const XML = { 'content-type': 'application/xml' };

// ---- forms ----

test('a form is a table of names and first values, all of them strings', async () => {
  const form = new URLSearchParams([['name', 'Ann & Bob'], ['n', '7'], ['name', 'second'], ['ü', 'é+ %'], ['empty', '']]);
  assert.deepEqual((await seen('/any', form)).body, { name: 'Ann & Bob', n: '7', ü: 'é+ %', empty: '' });
  assert.deepEqual((await seen('/form', 'a=1&b&&c=%zz', { 'content-type': 'text/plain' })).body, { a: '1', b: '', c: '%zz' });
});

test('form.all lists every value of a name', async () => {
  const form = new URLSearchParams([['a[]', '1'], ['n', '1'], ['a[]', '2 3']]);
  assert.deepEqual(await seen('/all', form), { all: ['1', '2 3'], none: 0, first: '1', got: '1', absent: 'default', type: 'string',
    same: true, whole: true });
});

test('conditions and keys look into forms', async () => {
  assert.deepEqual((await seen('/when', new URLSearchParams({ kind: 'paid', id: 'x 1' }))).body, { kind: 'paid', id: 'x 1' });
  const again = await router.post('/when', 'id=x+1&kind=partly', FORM);
  assert.equal(again.headers['tidewire-duplicate'], 'true');
  assert.equal((await router.post('/when', 'id=2&kind=other', FORM)).body, '{"ignored":true}\n');
  assert.equal((await router.post('/when', 'id=2&kind=paid&gone=', FORM)).body, '{"ignored":true}\n');
  const parts = new FormData();
  parts.set('kind', 'part of it');
  parts.set('id', '3');
  assert.equal((await seen('/when', parts)).body.id, '3');
});

test('a form has at most 1000 fields, and bytes of any kind', async () => {
  const fields = (n) => Array.from({ length: n }, (_, i) => `f${i}=${i}`).join('&');
  assert.equal(Object.keys((await seen('/any', fields(1000), FORM)).body).length, 1000);
  await refused('/any', fields(1001), FORM, 400, /not valid form data: more than 1000 fields at byte 8780/);
  assert.deepEqual((await seen('/any', 'a%00b=%00', FORM)).body, { 'a\0b': '\0' });
});

test('the one field payload is JSON for a profile that says so, other forms stay forms', async () => {
  const { sign } = await import('@octokit/webhooks-methods');
  const { SECRET } = await import('./support.js');
  const signed = async (body) => ({ ...FORM, 'x-github-event': 'push', 'x-github-delivery': randomUUID(),
    'x-hub-signature-256': await sign(SECRET, body) });
  const payload = `payload=${encodeURIComponent('{"a":[1]}')}`;
  assert.deepEqual((await seen('/signed', payload, await signed(payload))).body, { a: [1] });
  assert.deepEqual((await seen('/signed', `${payload}&b=2`, await signed(`${payload}&b=2`))).body, { payload: '{"a":[1]}', b: '2' });
  assert.deepEqual((await seen('/any', payload, FORM)).body, { payload: '{"a":[1]}' });
  await refused('/signed', 'payload=%7B', await signed('payload=%7B'), 400, /not valid JSON: .* at byte 1/);
});

// ---- multipart ----

test('multipart fields are strings, files are tables', async () => {
  const bytes = Buffer.from(Array.from({ length: 70000 }, (_, i) => i * 7));
  const form = new FormData();
  form.set('field', 'a "quoted"\r\nvalue');
  form.append('file', new Blob([bytes], { type: 'image/png' }), 'a b.png');
  form.append('file', new Blob(['second']), 'b.txt');
  const { createHash } = await import('node:crypto');
  assert.deepEqual(await seen('/files', form), { name: 'a b.png', type: 'image/png', size: 70000,
    sum: createHash('sha256').update(bytes).digest('hex'), field: 'a "quoted"\r\nvalue', files: 2, get: 'a b.png',
    field_get: 'a "quoted"\r\nvalue', bytes: 70000 });
});

test('multipart that is badly made is refused with the place', async () => {
  const type = { 'content-type': 'multipart/form-data; boundary=b' };
  const part = (name) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nv\r\n`;
  assert.deepEqual((await seen('/any', `${part('x\\"y')}--b--\r\n`, type)).body, { 'x"y': 'v' });
  await refused('/any', part('x'), type, 400, /not valid multipart: a part without the boundary behind it at byte 49/);
  await refused('/any', 'hello', type, 400, /the boundary of the Content-Type is not there/);
  await refused('/any', 'hello', { 'content-type': 'multipart/form-data' }, 400, /no boundary/);
  await refused('/any', '--b\r\n\r\nv\r\n--b--', type, 400, /a part without a name/);
  await refused('/multipart', 'a=1', FORM, 400, /no boundary/);
  const many = (n) => Array.from({ length: n }, (_, i) => part(`f${i}`)).join('') + '--b--';
  assert.equal(Object.keys((await seen('/any', many(1000), type)).body).length, 1000);
  await refused('/any', many(1001), type, 400, /more than 1000 parts/);
});

// ---- XML ----

const order = `<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- an order --><!DOCTYPE order SYSTEM "http://192.0.2.1/order.dtd">
<order id="7">
  <number>A-7 &amp; \u00e9</number>
  <line sku="x" qty="2"/>
  <line sku="y" qty="3"><![CDATA[<raw> ]]></line>
</order>`;

test('XML is a node, read and written alike', async () => {
  const got = await seen('/xml', Buffer.from(order, 'latin1'));
  assert.deepEqual(got, { name: 'order', id: '7', number: 'A-7 & é', lines: [{ sku: 'x', qty: 2 }, { sku: 'y', qty: 3 }], none: true,
    got: true, again: '<order id="7"><number>A-7 &amp; é</number><line qty="2" sku="x"/><line qty="3" sku="y">&lt;raw&gt; </line></order>' });
  assert.equal((await seen('/xml', got.again)).again, got.again);
});

test('hostile XML is refused with the place', async () => {
  const deep = (n) => '<a>'.repeat(n) + '</a>'.repeat(n);
  await seen('/xml', deep(128));
  await refused('/xml', deep(129), XML, 400, /not valid XML: nested deeper than 128 at byte 384/);
  const laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>';
  await refused('/xml', laughs, XML, 400, /it declares an entity of its own at byte/);
  await refused('/xml', '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', XML, 400, /an entity of its own/);
  const defaults = Array.from({ length: 30000 }, (_, n) => `x${n} CDATA ""`).join(' ');
  await refused('/xml', `<!DOCTYPE a [<!ATTLIST a ${defaults}>]><a>${'<a/>'.repeat(90000)}</a>`, XML, 400, /attributes of its own/);
  await refused('/any', '<!DOCTYPE l SYSTEM "x.dtd"><l>&a;</l>', XML, 400, /an entity that is not known/);
  await refused('/any', '<a><b></a>', { 'content-type': 'image/svg+xml' }, 400, /not valid XML: mismatched tag at byte 8/);
  await refused('/any', 'hello', { 'content-type': 'text/xml' }, 400, /not valid XML/);
  const wide = (n) => `<r>${'<a/>'.repeat(n - 1)}</r>`;
  assert.equal((await router.post('/taken', wide(100000), XML)).status, 202);
  await refused('/xml', wide(100001), XML, 400, /more than 100000 elements/);
});

test('XML has the charset of its Content-Type', async () => {
  const latin1 = Buffer.from('<o><number>Zoë</number></o>', 'latin1');
  assert.equal((await seen('/xml', latin1, { 'content-type': 'text/xml; charset=ISO-8859-1' })).number, 'Zoë');
  await refused('/any', '<o/>', { 'content-type': 'text/xml; charset=koi8-r' }, 400, /XML: its charset is none of utf-8, .* at byte 0/);
});

// ---- JSON, text, raw, NDJSON ----

test('a byte order mark before JSON is skipped, text is a string, nothing is nil', async () => {
  assert.deepEqual((await seen('/any', '\ufeff{"a":1}', { 'content-type': 'application/json' })).body, { a: 1 });
  assert.equal((await seen('/any', '{"a":1}', { 'content-type': 'text/plain' })).body, '{"a":1}');
  assert.equal((await seen('/any', 'x', { 'content-type': 'application/octet-stream' })).body, 'x');
  assert.deepEqual(await seen('/any', '', { 'content-type': 'application/xml' }), {});
  assert.deepEqual((await seen('/json', '{"a":1}', FORM)).body, { a: 1 });
  assert.equal((await seen('/text', '{"a":1}', { 'content-type': 'application/json' })).body, '{"a":1}');
});

test('NDJSON is a list, one value for each line', async () => {
  const type = { 'content-type': 'application/x-ndjson' };
  assert.deepEqual((await seen('/any', '\ufeff{"a":1}\r\n\n [2] \n"x"', type)).body, [{ a: 1 }, [2], 'x']);
  assert.deepEqual((await seen('/ndjson', '{"a":1}')).body, [{ a: 1 }]);
  await refused('/any', '{"a":1}\n1,2\n', type, 400, /not valid NDJSON: something follows the value at byte 9/);
  await refused('/any', '[1\n2]\n', type, 400, /not valid NDJSON: .* at byte 2/);
});

test('a body that is stored and run again later is what it was', async () => {
  const parts = new FormData();
  parts.set('name', 'Ann');
  for (const [body, headers] of [[new URLSearchParams({ name: 'Ann' }), {}], [parts, {}],
    [zlib.gzipSync('{"name":"Ann"}'), { 'content-type': 'application/json', 'content-encoding': 'gzip' }]]) {
    const first = target.received.length;
    const answer = await fetch(`${router.url}/stored`, { method: 'POST', body, headers });
    assert.equal(answer.status, 202);
    await until('the second try', () => target.received.length > first);
    assert.deepEqual(JSON.parse(target.received.at(-1).body), { body: { name: 'Ann' }, get: 'Ann' });
  }
  const first = target.received.length;
  await fetch(`${router.url}/stored`, { method: 'POST', body: '{"name":1}\n{"name":2}', headers: { 'content-type': 'application/jsonl' } });
  await until('the second try', () => target.received.length > first);
  assert.deepEqual(JSON.parse(target.received.at(-1).body), { body: [{ name: 1 }, { name: 2 }] });
});

// ---- Content-Encoding ----

const codings = { gzip: zlib.gzipSync, 'x-gzip': zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync };

for (const [name, compress] of Object.entries(codings)) {
  test(`a body in ${name} is decoded, bounded by max_body, and passed on as it came`, async () => {
    const json = { 'content-type': 'application/json', 'content-encoding': name };
    assert.deepEqual((await seen('/any', compress('{"a":[1,2]}'), json)).body, { a: [1, 2] });
    const text = Buffer.alloc(1 << 20, 'abc');
    const coding = { 'content-type': 'text/plain', 'content-encoding': name };
    const got = await seen('/hash', compress(text), coding);
    assert.equal(got.size, 1 << 20);
    assert.ok(got.raw < 20000);
    await refused('/hash', compress(Buffer.alloc((1 << 20) + 1, 'abc')), coding, 413, /decompressed, is larger/);
    await refused('/any', compress('{"a":[1,2]}').subarray(0, 8), json, 400, /cut off|damaged/);
    await refused('/any', Buffer.concat([compress('{}'), Buffer.from('more')]), json, 400, /follows its end|damaged/);
    const first = target.received.length;
    const bytes = compress('{"a":1}');
    await fetch(`${router.url}/pass`, { method: 'POST', body: bytes, headers: json });
    await until('it', () => target.received.length > first);
    assert.deepEqual(target.received.at(-1).body, bytes);
    assert.equal(target.received.at(-1).headers['content-encoding'], name);
    assert.deepEqual(await seen('/raw', bytes, json), { same: true, hex: bytes.toString('hex') });
  });
}

test('deflate without its head, and several members of gzip, are read; others are not', async () => {
  const json = (coding) => ({ 'content-type': 'application/json', 'content-encoding': coding });
  assert.deepEqual((await seen('/any', zlib.deflateRawSync('{"a":1}'), json('deflate'))).body, { a: 1 });
  const members = Buffer.concat([zlib.gzipSync('{"a"'), zlib.gzipSync(':1}')]);
  assert.deepEqual((await seen('/any', members, json('gzip'))).body, { a: 1 });
  assert.deepEqual((await seen('/any', '{"a":1}', json('identity'))).body, { a: 1 });
  await refused('/any', '{"a":1}', json('zstd'), 415, /send gzip, deflate, br or none/);
  await refused('/any', '{"a":1}', json('gzip, br'), 415, /send gzip/);
  await refused('/any', '{"a":1}', json('gzip'), 400, /not valid gzip/);
  await refused('/any', zlib.gzipSync('{"a":'), json('gzip'), 400, /not valid JSON: .* at byte 5/);
});

test('a signature covers the bytes as they came', async () => {
  const { createHmac } = await import('node:crypto');
  const { SECRET } = await import('./support.js');
  const bytes = zlib.gzipSync('{"a":1}');
  const signed = (what) => ({ 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-github-event': 'push',
    'x-github-delivery': randomUUID(), 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(what).digest('hex')}` });
  assert.deepEqual((await seen('/signed', bytes, signed(bytes))).body, { a: 1 });
  assert.equal((await fetch(`${router.url}/signed`, { method: 'POST', body: bytes, headers: signed('{"a":1}') })).status, 401);
});

// ---- limits of the handler ----

test('a body that makes a large table costs its own event and nothing else', async () => {
  const body = `<r>${'<a b="c">d</a>'.repeat(50000)}</r>`;
  for (const route of ['/small', '/quick']) {
    const answer = await router.post(route, body, XML);
    assert.equal(answer.status, 202);
    const event = await router.eventIn(answer.headers['tidewire-event-id'], 'dead');
    assert.match(event.reason, /memory|cpu/); // which of the two is met first hangs on the machine
  }
  assert.deepEqual((await seen('/form', 'a=1')).body, { a: '1' });
});

// ---- messages ----

test('form, xml and cloudevent are bodies of messages', async () => {
  const first = target.received.length;
  const answer = await router.post('/make', '{"a":[1, 2]}', { 'content-type': 'application/json' });
  await router.eventIn(answer.headers['tidewire-event-id'], 'done');
  const got = target.received.slice(first);
  const of = (type) => got.filter((request) => request.headers['content-type'] === type).map((request) => request.body.toString());
  assert.deepEqual(of('application/x-www-form-urlencoded'), ['n=1.5&name=Ann+%26+Bob&s=%3C%26%3D+%C3%A9&tag=a+b&tag=2&yes=true']);
  assert.deepEqual(of('application/x-www-form-urlencoded; charset=utf-8'), ['']);
  assert.deepEqual(of('application/xml; charset=utf-8'), ['<?xml version="1.0" encoding="UTF-8"?>\n'
    + '<Response v="1"><Message>a &lt; b &amp; c</Message><Empty/><S>&lt;&amp;= é</S></Response>']);
  const events = of('application/cloudevents+json; charset=utf-8').map((text) => JSON.parse(text));
  const made = events.find((event) => event.data);
  assert.match(made.id, /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.parse(made.time) - Date.now()) < 60000);
  assert.deepEqual({ ...made, id: '', time: '' },
    { type: 'com.example.made', source: '/made', subject: '7', specversion: '1.0', id: '', time: '', data: { a: [1, 2] } });
  assert.deepEqual(events.find((event) => event.id === 'mine'),
    { type: 'com.example.made', source: '/made', specversion: '1.0', id: 'mine', time: '2026-01-02T03:04:05Z' });
});

test('a path into XML is a mistake that is found at load', async () => {
  const route = (more) => `route "/x" { verify = verify.none "a test", content = "xml", ${more}, handle = function() end }`;
  await router.write('bodies.lua', route('when = { ["body.kind"] = "a" }'));
  const when = await router.command('check');
  assert.equal(when.code, 3);
  assert.match(when.stdout + when.stderr, /when: no path leads into XML/);
  await router.write('bodies.lua', route('dedupe = "body.id"'));
  const dedupe = await router.command('check');
  assert.equal(dedupe.code, 3);
  assert.match(dedupe.stdout + dedupe.stderr, /dedupe: no path leads into XML[^]*dedupe = function\(event\) return xml.text\(event.body, "name"\) end/);
});
