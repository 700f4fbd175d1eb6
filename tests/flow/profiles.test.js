// Profiles of a user's own in rules/providers/, the options of provider.*, and event.data.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ENV, genuine, TEXT } from './providers.js';
import { command, Router, startTarget, until } from './support.js';

/** What `tidewire check` says of these files. */
async function checked(files) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-'));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, 'rules', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const said = await command(['check', folder], { env: { ...process.env, ...ENV } });
  await rm(folder, { recursive: true });
  return said;
}

const acme = `return {
  verify = { header = "X-Acme-Signature", prefix = "acme=", signed = "{timestamp}.{body}", timestamp = "headers.x-acme-time" },
  options = { secret = true, max_age = false },
  type = { "body.kind", { at = "body.ping", says = "ping" } },
  id = { join = { "body.shop", "body.number" } },
  handshake = { { method = "GET", echo = "query.hello" }, { when = { ["body.kind"] = "hello" }, reply = { status = 201 } } },
  reply = { status = 200, body = "thanks", content_type = "text/plain" },
  samples = { order = [[{"kind":"order","shop":"s","number":"%ID%"}]], refund = [[{"kind":"refund","shop":"s","number":"%ID%"}]] },
}`;
const rule = 'route "/acme" { from = provider.acme { secret = secret "TEXT" }, handle = function() drop "seen" end }';

describe("a user's own profile", () => {
  test('verifies, knows type, id, handshake and answer as ours do, and its samples can be sent', async () => {
    const router = await Router.start({ 'a.lua': rule, 'providers/acme.lua': acme }, { env: ENV });
    const post = (body, at = Date.now()) => {
      const stamp = String(Math.floor(at / 1000));
      const signature = `acme=${createHmac('sha256', TEXT).update(`${stamp}.${body}`).digest('hex')}`;
      return router.post('/acme', body, {
        'content-type': 'application/json', 'x-acme-time': stamp, 'x-acme-signature': signature });
    };
    const order = (number, more = {}) => JSON.stringify({ kind: 'order', shop: 's', number, ...more });
    const first = await post(order(1));
    assert.deepEqual([first.status, first.body, first.headers['content-type']], [200, 'thanks', 'text/plain']);
    assert.equal((await router.event(first.headers['tidewire-event-id'])).type, 'order');
    assert.equal((await post(order(1, { again: true }))).headers['tidewire-event-id'], first.headers['tidewire-event-id']);
    assert.notEqual((await post(order(2))).headers['tidewire-event-id'], first.headers['tidewire-event-id']);
    const ping = await post('{"ping":{}}');
    assert.equal((await router.event(ping.headers['tidewire-event-id'])).type, 'ping');
    assert.equal((await post(order(3), Date.now() - 3600000)).status, 401);
    assert.equal((await post('{"kind":"hello"}')).status, 201);
    const events = (await router.events()).length;
    const sent = await router.command('send', '/acme', 'refund');
    assert.equal(sent.code, 0, sent.stderr);
    assert.equal((await router.events()).length, events + 1);
    const listed = await router.command('samples', 'acme');
    assert.equal(listed.stdout, 'acme\torder\nacme\trefund\n');
    const all = (await router.command('samples')).stdout;
    assert.ok(all.startsWith(listed.stdout) && all.includes('github\tpush\n'), 'own profiles among ours');
    assert.match((await router.command('samples', 'acmee')).stderr, /no provider 'acmee'. Did you mean 'acme'\?/);
    const proved = await router.command('samples', '--prove');
    assert.equal(proved.stdout, '2 proved, 0 not\n');
    await router.end();
  });

  test('may name several headers, of which one has the signature or token', async () => {
    const router = await Router.start({
      'a.lua': `route "/token" { from = provider.token { secret = secret "TEXT" }, handle = function() end }
        route "/signed" { from = provider.signed { secret = secret "TEXT" }, handle = function() end }`,
      'providers/token.lua': 'return { verify = { scheme = "token", header = { "X-New-Token", "X-Token" } } }',
      'providers/signed.lua': 'return { verify = { header = { "X-New-Signature", "X-Signature" } } }',
    }, { env: ENV });
    const signature = createHmac('sha256', TEXT).update('{}').digest('hex');
    for (const [route, name, value] of [['/token', 'token', TEXT], ['/signed', 'signature', signature]]) {
      const post = async (headers) => (await router.post(route, '{}', { 'content-type': 'application/json', ...headers })).status;
      assert.equal(await post({ [`x-new-${name}`]: value }), 202);
      assert.equal(await post({ [`x-${name}`]: value }), 202);
      assert.equal(await post({ [`x-new-${name}`]: value, [`x-${name}`]: value }), 401);
      assert.equal(await post({ [`x-new-${name}`]: 'another', [`x-${name}`]: value }), 401);
      assert.equal(await post({}), 401);
    }
    await router.end();
  });

  test('is loaded again when it changes', async () => {
    const router = await Router.start({ 'a.lua': rule, 'providers/acme.lua': acme }, { env: ENV });
    await router.write('providers/acme.lua', acme.replace('"thanks"', '"many thanks"'));
    assert.equal((await router.command('reload')).code, 0);
    assert.equal((await router.command('send', '/acme', 'order')).stdout.slice(0, 16), '200  many thanks');
    await router.end();
  });

  const mistakes = {
    'has a word that is not known': [acme.replace('handshake', 'handshakes'), /profile acme has no option 'handshakes'[^]*did you mean 'handshake'/],
    'has no verify': ['return { type = "body.type" }', /profile acme: needs verify/],
    'returns nothing': ['local x = 1', /a profile's file returns its table, got nil/],
    'has words of rules in it': ['return { verify = { header = secret "X" } }', /there is no name 'secret' here/],
    'has a path that is none': ['return { verify = { header = "X" }, type = "body." }', /profile acme: type\[1\] wants a path/],
    'has a scheme that is none': ['return { verify = { header = "X", format = "kv" } }', /provider.acme: format = "kv" is none of/],
    'has a touching template': ['return { verify = { header = "X", signed = "{method}{body}" } }', /warning: provider.acme: the last two places of signed touch/],
    'has a touching template that ends in a mark': ['return { verify = { header = "X", signed = "v0:{method}{body}." } }',
      /the last two places of signed touch: {method}{body}/],
    'does not parse': ['return {', /rules\/providers\/acme.lua:1: /],
  };
  for (const [what, [text, says]] of Object.entries(mistakes)) {
    test(`that ${what} is a mistake with its place`, async () => {
      const said = await checked({ 'a.lua': rule, 'providers/acme.lua': text });
      assert.match(said.stdout + said.stderr, says);
    });
  }

  test('cannot take the name of one of ours', async () => {
    const said = await checked({ 'providers/github.lua': acme });
    assert.match(said.stdout, /rules\/providers\/github.lua:1: there is a profile "github" already/);
  });
});

describe('options of provider.*', () => {
  const says = {
    'provider.githb { secret = secret "TEXT" }': /there is no provider.githb[^]*did you mean 'github'/,
    'provider.sns { topic = "arn:x" }': /topic = "arn:x" is not the ARN of a topic/,
    'provider.github {}': /provider.github: needs secret[^]*add secret = secret "NAME"/,
    'provider.github { secrt = secret "TEXT" }': /provider.github has no option 'secrt'[^]*did you mean 'secret'/,
    'provider.github { secret = "text" }': /secret wants a secret, got "text"/,
    'provider.gitlab {}': /provider.gitlab: needs secret or signing_secret/,
    'provider.twilio { secret = secret "TEXT" }': /provider.twilio: needs public_url[^]*add public_url = "https:/,
    'provider.twilio { secret = secret "TEXT", public_url = "hooks" }': /public_url = "hooks" is not an address/,
    'provider.discord { public_key = "abc" }': /public_key\S* is not a public key of the kind that signs here/,
    'provider.hubspot { secret = secret "TEXT", version = "v4" }': /version = "v4" is none of "v3", "v2", "v1"/,
    'provider.hubspot { secret = secret "TEXT" }': /needs public_url, because the sender signs its URL/,
    'provider.meta { secret = secret "TEXT" }': /provider.meta: needs verify_token/,
    'provider.stripe { secret = secret "TEXT", max_age = 300 }': /max_age = 300 needs a unit/,
    'provider.github { secret = secret "TEXT", max_age = "5m" }': /provider.github has no option 'max_age'/,
    'provider.github "TEXT"': /provider.github: wants a table, got "TEXT"/,
  };
  for (const [word, expected] of Object.entries(says)) {
    test(word, async () => {
      const said = await checked({ 'a.lua': `route "/x" { from = ${word}, handle = function() end }` });
      assert.equal(said.code, 3);
      assert.match(said.stdout, expected);
    });
  }

  test('a type nobody sends and a condition that cannot hold are warned of', async () => {
    const said = await checked({
      'a.lua': `
        route "/a" { from = provider.telegram { secret = secret "TEXT" }, when = { type = "mesage" }, handle = function() end }
        route "/b" { from = provider.sendgrid { public_key = env "P256" }, when = { type = "open" }, handle = function() end }`,
    });
    assert.equal(said.code, 0, said.stdout);
    assert.match(said.stdout, /telegram is not known to send the type "mesage"[^]*did you mean 'message'/);
    assert.match(said.stdout, /sendgrid sends lists, whose items have types[^]*add each = true/);
  });
});

test('event.data of CloudEvents is what they are about, in either form', async () => {
  const target = await startTarget();
  const router = await Router.start({
    'a.lua': `
      local out = target "out" { url = "${target.url}", private = true }
      route "/cloudevents" {
        from = provider.cloudevents { bearer = secret "TEXT" },
        handle = function(event) send(out, { json = { type = event.type, data = event.data } }) end,
      }
      route "/github" {
        from = provider.github { secret = secret "TEXT" },
        handle = function(event) send(out, { json = { none = event.data == nil } }) end,
      }`,
  }, { env: ENV });
  const headers = { authorization: `Bearer ${TEXT}` };
  const structured = { ...headers, 'content-type': 'application/cloudevents+json; charset=utf-8' };
  const envelope = { specversion: '1.0', type: 'a.b', source: '/s' };
  const take = async (answer) => {
    const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done');
    assert.equal(event.deliveries.length, 1);
    return JSON.parse(target.received.at(-1).body);
  };
  const binary = { ...headers, 'content-type': 'application/json', 'ce-type': 'a.b', 'ce-source': '/s', 'ce-specversion': '1.0' };
  assert.deepEqual(await take(await router.post('/cloudevents', '{"n":1,"type":"x"}', { ...binary, 'ce-id': '1' })),
    { type: 'a.b', data: { n: 1, type: 'x' } });
  assert.deepEqual(await take(await router.post('/cloudevents', 'text', { ...binary, 'ce-id': '2', 'content-type': 'text/plain' })),
    { type: 'a.b', data: 'text' });
  assert.deepEqual(await take(await router.post('/cloudevents', JSON.stringify({ ...envelope, id: '3', data: [1] }), structured)),
    { type: 'a.b', data: [1] });
  const encoded = JSON.stringify({ ...envelope, id: '4', data_base64: Buffer.from('???bytes').toString('base64') }).replaceAll('/', '\\/');
  assert.deepEqual(await take(await router.post('/cloudevents', encoded, structured)), { type: 'a.b', data: '???bytes' });
  assert.deepEqual(await take(await router.post('/cloudevents', JSON.stringify({ ...envelope, id: '5', data_base64: '*' }), structured)),
    { type: 'a.b' });
  assert.deepEqual(await take(await router.post('/cloudevents', '[1]', { ...binary, 'ce-id': '6' })), { type: 'a.b', data: [1] });
  const push = await genuine('github');
  assert.deepEqual(await take(await router.post('/github', push.body, push.headers)), { none: true });
  await router.end();
  await target.close();
});

describe('CloudEvents: what an event is said to be', () => {
  const envelope = { specversion: '1.0', type: 'a.b', source: '/s', id: '1', time: '2026-11-20T10:00:00.25Z' };
  const headers = { authorization: `Bearer ${TEXT}`, 'content-type': 'application/cloudevents+json' };
  const binary = (more) => ({ authorization: headers.authorization, 'content-type': 'application/json', 'ce-specversion': '1.0',
    'ce-type': 'a.b', 'ce-source': '/s', ...more });
  const batch = { ...headers, 'content-type': 'application/cloudevents-batch+json; charset=utf-8' };
  let router;
  let target;
  before(async () => {
    target = await startTarget();
    const route = (path, more) => `route "${path}" {
      from = provider.cloudevents { bearer = secret "TEXT" }, ${more}
      handle = function(event)
        send(out, { json = { type = event.type, time = event.time, now = event.time == event.received_at, data = event.data,
          content = event.content_type } })
      end,
    }`;
    router = await Router.start({
      'a.lua': `local out = target "out" { url = "${target.url}", private = true }
        ${route('/one', '')} ${route('/each', 'each = true,')}
        route "/pass" { from = provider.cloudevents { bearer = secret "TEXT" }, each = true,
          handle = function(event) send(out, event) end }`,
    }, { env: ENV });
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  /** What the messages of one request say, in the order of their types. */
  async function said(count, route, body, more) {
    const before = target.received.length;
    const answer = await router.post(route, body, more);
    assert.ok(answer.status < 300, answer.body);
    await until(`${count} messages`, () => target.received.length >= before + count);
    const messages = target.received.slice(before).map((got) => JSON.parse(got.body));
    assert.equal(messages.length, count);
    return messages.sort((a, b) => (a.type < b.type ? -1 : 1));
  }

  test('its time is the attribute, in either form, else when it came', async () => {
    const [structured] = await said(1, '/one', JSON.stringify(envelope), headers);
    assert.equal(structured.time, 1795168800.25);
    const [spoken] = await said(1, '/one', '{}', binary({ 'ce-id': '2', 'ce-time': '2026-11-20T12:30:00+02:30' }));
    assert.equal(spoken.time, 1795168800);
    for (const time of [undefined, '', 'yesterday', '2026-11-20', 1795168800, null]) {
      const [other] = await said(1, '/one', JSON.stringify({ ...envelope, id: `no ${time}`, time }), headers);
      assert.ok(other.now, String(time));
    }
  });

  test('the Content-Type says which form it is: the other one is only data', async () => {
    const body = JSON.stringify({ ...envelope, id: '3', type: 'of.data' });
    const more = { 'ce-id': '3', 'ce-time': '2020-01-01T00:00:00Z' };
    const [plain] = await said(1, '/one', body, binary(more));
    assert.deepEqual([plain.type, plain.time], ['a.b', 1577836800]);
    const [structured] = await said(1, '/one', body, { ...binary(more), ...headers });
    assert.deepEqual([structured.type, structured.time], ['of.data', 1795168800.25]);
  });

  test('a batch is an event each with `each`, whatever headers it has', async () => {
    const list = ['x', 'y', 'z'].map((type, n) => ({ ...envelope, type, id: `batch ${n}`, time: `2026-11-20T10:00:0${n}Z`, data: n }));
    const got = await said(3, '/each', JSON.stringify(list), { ...binary({ 'ce-id': '4', 'ce-time': '2020-01-01T00:00:00Z' }), ...batch });
    assert.deepEqual(got.map(({ type, time, data }) => [type, time, data]),
      [['x', 1795168800, 0], ['y', 1795168801, 1], ['z', 1795168802, 2]]);
    assert.ok(got.every(({ content }) => content === 'application/cloudevents+json'));
    const again = await router.post('/each', JSON.stringify(list), batch);
    assert.equal(again.headers['tidewire-duplicate'], 'true');
    assert.equal((await router.post('/each', '[]', batch)).status, 202);
  });

  test('a list that is the data of one event stays one', async () => {
    const [one] = await said(1, '/each', '[1,2]', binary({ 'ce-id': '5' }));
    assert.deepEqual(one.data, [1, 2]);
    const [structured] = await said(1, '/each', JSON.stringify({ ...envelope, id: '6', data: [3, 4] }), headers);
    assert.deepEqual(structured.data, [3, 4]);
  });

  test('an item that is passed on is a whole CloudEvent', async () => {
    const before = target.received.length;
    await said(1, '/pass', JSON.stringify([{ ...envelope, id: '7' }]), batch);
    const got = target.received[before];
    assert.equal(got.headers['content-type'], 'application/cloudevents+json');
    assert.deepEqual(JSON.parse(got.body), { ...envelope, id: '7' });
  });
});
