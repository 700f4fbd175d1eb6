// What leaves is signed: by any HMAC scheme, accepted by tidewire's own verify.hmac with the same options and by the libraries of
// those whose schemes they are, and by short-lived tokens.
import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verify as verifyGithub } from '@octokit/webhooks-methods';
import jsonwebtoken from 'jsonwebtoken';
import Stripe from 'stripe';
import { Router, command, freePort, startTarget } from './support.js';

const NEW = 'It is a secret to everybody';
const OLD = 'It was another one before';
const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const pem = (key) => key.export({ format: 'pem', type: key.type === 'public' ? 'spki' : 'pkcs8' });
const spki = (key) => key.export({ format: 'der', type: 'spki' }).toString('base64');

// The same options on both sides; `in`: what only the receiver says, `out`: what only the sender does.
const hmacs = {
  plain: {},
  encoded: { same: 'algorithm = "sha512", encoding = "base64", prefix = "sha512="' },
  old: { same: 'algorithm = "sha1"' },
  parts: { same: 'format = "k=v,", signed = "{timestamp}.{body}", signature = "v0"' },
  semicolons: { same: 'format = "k=v;", signed = "{timestamp}:{id}:{body}", timestamp = "ts", id = "n"' },
  headers: { same: 'signed = "v0:{timestamp}:{id}:{body}", timestamp = "headers.x-timestamp", id = "headers.x-id"' },
  list: { same: 'format = "list", encoding = "base64", signed = "{id}.{timestamp}.{body}", timestamp = "headers.x-t", id = "headers.x-i"' },
  places: {
    same: 'signed = "{method} {path} {query:q}\\n{host}\\n{header:X-Tenant}\\n{body:order.id}\\n{body}"',
    message: 'query = { q = "a b", z = "1" }, headers = { ["X-Tenant"] = "acme" }',
  },
  url: { same: 'signed = "{url}\\n{body}"', in: 'public_url = env "SELF"', message: 'path = "a b", query = { q = "ü" }' },
};

let target;
let router;
let failures = 0;

const own = ([name, { same, in: more }]) => `route "/in/${name}${name === 'url' ? '/*rest' : ''}" {
  verify = verify.hmac { header = "X-Signature", secret = secret("NEW", "OLD")${same ? `, ${same}` : ''}${more ? `, ${more}` : ''} },
  handle = function(event) end }`;
const signer = ([name, { same }]) => `targets["${name}"] = target "${name}" { url = env "SELF" .. "/in/${name}", private = true,
  retry = { attempts = 1 }, sign = sign.hmac { header = "X-Signature", secret = secret("NEW", "OLD")${same ? `, ${same}` : ''} } }`;
const message = ([name, { message: more }]) =>
  `messages["${name}"] = { json = { order = { id = 7 } }${more ? `, ${more}` : ''} }`;

const others = {
  github: 'sign.hmac { header = "X-Hub-Signature-256", secret = secret "NEW", prefix = "sha256=" }',
  stripe: 'sign.hmac { header = "Stripe-Signature", secret = secret "NEW", format = "k=v,", signed = "{timestamp}.{body}" }',
  slack: `sign.hmac { header = "X-Slack-Signature", secret = secret "NEW", prefix = "v0=", signed = "v0:{timestamp}:{body}",
    timestamp = "X-Slack-Request-Timestamp" }`,
  idempotent: 'sign.hmac { header = "X-S", secret = secret "NEW", signed = "{id}.{timestamp}.{body}", timestamp = "X-At", id = "X-Id" }',
  hs256: `sign.jwt { secret = secret("NEW", "OLD"), issuer = "https://router.example.com", audience = "ledger", subject = "hooks",
    ttl = "90s", claims = { role = "router", list = { 1, 2 } }, body_hash = "body_sha256" }`,
  elsewhere: 'sign.jwt { secret = secret "NEW", header = "X-Token", audience = { "a", "b" } }',
  rs256: 'sign.jwt { key = secret "RS256", algorithm = "RS256", key_id = "2026-11" }',
  es256: 'sign.jwt { key = secret "ES256", algorithm = "ES256" }',
  eddsa: 'sign.jwt { key = secret "EdDSA", algorithm = "EdDSA" }',
};

// Tokens that tidewire itself takes.
const tokens = {
  jwt_hs256: ['sign.jwt { secret = secret "NEW", issuer = "i", audience = { "x", "y" } }',
    'verify.jwt { algorithm = "HS256", key = secret "NEW", issuer = "i", audience = "y" }'],
  ...Object.fromEntries(Object.keys(keys).map((name) => [`jwt_${name.toLowerCase()}`, [
    `sign.jwt { key = secret "${name}", algorithm = "${name}" }`,
    `verify.jwt { algorithm = "${name}", key = "${spki(keys[name].publicKey)}" }`]])),
};

const env = { NEW, OLD, ...Object.fromEntries(Object.entries(keys).map(([name, pair]) => [name, pem(pair.privateKey)])) };

before(async () => {
  target = await startTarget((request) => (request.url === '/idempotent' && failures-- > 0 ? { status: 503 } : { status: 200 }));
  const port = await freePort();
  router = await Router.start({
    'all.lua': `local targets, messages = {}, {}
      ${Object.entries(hmacs).flatMap((entry) => [own(entry), signer(entry), message(entry)]).join('\n')}
      ${Object.entries(others).map(([name, sign]) => `targets["${name}"] = target "${name}" { url = "${target.url}/${name}",
        private = true, retry = { first = "2100ms", factor = 1 }, sign = ${sign} }`).join('\n')}
      ${Object.entries(tokens).map(([name, [sign, verify]]) => `targets["${name}"] = target "${name}" { private = true,
        url = env "SELF" .. "/in/${name}", retry = { attempts = 1 }, sign = ${sign} }
        route "/in/${name}" { verify = ${verify}, handle = function(event) end }`).join('\n')}
      route "/out/:name" { verify = verify.none "a test", handle = function(event)
        local name = event.params.name
        send(targets[name], messages[name] or event)
      end }`,
  }, { port, env: { ...env, SELF: `http://127.0.0.1:${port}` } });
});

after(async () => {
  await router?.end();
  await target?.close();
});

async function deliver(name, body = '{"id":"evt_1","object":"event"}') {
  const answer = await router.post(`/out/${name}`, body, { 'content-type': 'application/json' });
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done', 'dead');
  assert.equal(event.state, 'done', JSON.stringify(event.deliveries));
  return { requests: target.received.filter((request) => request.url === `/${name}`), event };
}

for (const name of [...Object.keys(hmacs), ...Object.keys(tokens)]) {
  test(`what leaves is accepted with the same options: ${name}`, async () => {
    const { event } = await deliver(name);
    assert.equal(event.deliveries[0].tries[0].status, 202);
  });
}

test('the libraries of GitHub and Stripe accept what is signed as they say', async () => {
  const { requests: [github] } = await deliver('github');
  assert.equal(await verifyGithub(NEW, github.body.toString(), github.headers['x-hub-signature-256']), true);
  const { requests: [stripe] } = await deliver('stripe');
  const event = new Stripe('sk_test_unused').webhooks.constructEvent(stripe.body, stripe.headers['stripe-signature'], NEW);
  assert.equal(event.id, 'evt_1');
});

test('what is signed as Slack says has its header for the time and its signature', async () => {
  const { requests: [slack] } = await deliver('slack');
  const at = slack.headers['x-slack-request-timestamp'];
  assert.ok(Math.abs(Date.now() / 1000 - Number(at)) < 60);
  assert.equal(slack.headers['x-slack-signature'], `v0=${createHmac('sha256', NEW).update(`v0:${at}:${slack.body}`).digest('hex')}`);
});

test('each attempt has a time and a signature of its own, and the same id', async () => {
  failures = 1;
  const { requests: [first, second] } = await deliver('idempotent');
  for (const { headers, body } of [first, second]) {
    assert.equal(headers['x-id'], headers['idempotency-key']);
    assert.equal(headers['x-s'], createHmac('sha256', NEW).update(`${headers['x-id']}.${headers['x-at']}.${body}`).digest('hex'));
  }
  assert.equal(first.headers['x-id'], second.headers['x-id']);
  assert.notEqual(first.headers['x-at'], second.headers['x-at']);
});

test('a token says who, for whom, until when, and what of the body', async () => {
  const { requests: [request] } = await deliver('hs256');
  const [scheme, token] = request.headers.authorization.split(' ');
  assert.equal(scheme, 'Bearer');
  const claims = jsonwebtoken.verify(token, NEW, { algorithms: ['HS256'], issuer: 'https://router.example.com', audience: 'ledger', subject: 'hooks' });
  assert.equal(claims.exp - claims.iat, 90);
  assert.equal(claims.body_sha256, createHash('sha256').update(request.body).digest('hex'));
  assert.deepEqual([claims.role, claims.list], ['router', [1, 2]]);
  assert.match(claims.jti, /^[0-9a-f]{32}$/);
  assert.throws(() => jsonwebtoken.verify(token, OLD, { algorithms: ['HS256'] }), /invalid signature/);
});

test('a token may go into a header of its own, for several receivers, and five minutes is its life', async () => {
  const { requests: [request] } = await deliver('elsewhere');
  const claims = jsonwebtoken.verify(request.headers['x-token'], NEW, { algorithms: ['HS256'] });
  assert.deepEqual(claims.aud, ['a', 'b']);
  assert.equal(claims.exp - claims.iat, 300);
  assert.equal(request.headers.authorization, undefined);
});

test('private keys sign tokens that others verify', async () => {
  for (const name of ['rs256', 'es256']) {
    const algorithm = name.toUpperCase();
    const { requests: [request] } = await deliver(name);
    const { header } = jsonwebtoken.verify(request.headers.authorization.slice(7), pem(keys[algorithm].publicKey), { algorithms: [algorithm], complete: true });
    assert.equal(header.kid, name === 'rs256' ? '2026-11' : undefined);
  }
  const { requests: [request] } = await deliver('eddsa');
  const [header, claims, signature] = request.headers.authorization.slice(7).split('.');
  const { verify } = await import('node:crypto');
  assert.ok(verify(null, Buffer.from(`${header}.${claims}`), keys.EdDSA.publicKey, Buffer.from(signature, 'base64url')));
});

test('a message that has not what its signature covers is given up, with the reason', async () => {
  await router.write('bare.lua', `local bare = target "bare" { url = "${target.url}/bare", private = true,
      sign = sign.hmac { header = "X-S", secret = secret "NEW", signed = "{header:X-Tenant}{body}" } }
    route "/bare" { verify = verify.none "a test", handle = function(event)
      send(bare, { json = { a = 1 } })
      send(bare, { json = { a = 2 }, headers = { ["X-Tenant"] = "acme", ["X-S"] = "forged" } })
    end }`);
  assert.equal((await router.command('reload')).code, 0);
  const answer = await router.post('/bare', '{}');
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'dead');
  assert.match(event.deliveries[0].reason, /its signature covers a header, query name or field that this message has not/);
  assert.equal(event.deliveries[1].state, 'delivered');
  const sent = target.received.find((request) => request.url === '/bare');
  assert.equal(sent.headers['x-s'], createHmac('sha256', NEW).update(`acme${sent.body}`).digest('hex')); // not the message's own
});

test('a key that is none of its algorithm is found while loading', async () => {
  const key = (name, value, text) => ({ value, text: `target "t" { url = "https://a.example.com", sign = sign.jwt { ${text} } }`, name });
  const cases = [
    [key('RS256', env.ES256, 'key = secret "K", algorithm = "RS256"'), /the secret "K" is no private key for RS256/],
    [key('ES256', env.RS256, 'key = secret "K", algorithm = "ES256"'), /it is a key on the curve P-256, in PEM/],
    [key('EdDSA', pem(keys.EdDSA.publicKey), 'key = secret "K", algorithm = "EdDSA"'), /no private key for EdDSA/],
    [key('HS256', env.RS256, 'secret = secret "K"'), /the secret "K" is one of a pair of keys, and HS256 signs with a text that both sides have/],
    [key('short', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), 'key = secret "K", algorithm = "RS256"'),
      /it is an RSA key of 2048 to 4096 bits/],
  ];
  for (const [{ name, value, text }, says] of cases) {
    await router.write('key.lua', text);
    const checked = await command(['check', router.folder], { env: { ...router.env, K: value } });
    assert.notEqual(checked.code, 0, name);
    assert.match(checked.stdout + checked.stderr, says, name);
  }
  await router.write('key.lua', '');
});

test('in tests of rules secrets and private keys stand in', async () => {
  await router.write('all_test.lua', `test "tokens and signatures" (function()
      expect(feed("/out/es256", { json = {} }).sent[1].headers.authorization):contains "Bearer ey"
      expect(feed("/out/rs256", { json = {} }).sent[1].headers.authorization):contains "Bearer ey"
      expect(feed("/out/hs256", { json = {} }).sent[1].headers.authorization):contains "Bearer ey"
      expect(feed("/out/github", { json = {} }).sent[1].headers["x-hub-signature-256"]):contains "sha256="
    end)`);
  const bare = { ...process.env, SELF: 'http://127.0.0.1:1' };
  const run = await command(['test', router.folder], { env: bare });
  assert.equal(run.code, 0, run.stdout + run.stderr);
});

test('a key is on no screen', () => {
  assert.ok(!router.output.includes('PRIVATE KEY') && !router.output.includes(NEW));
});
