// Signature schemes with the real binary: what `tidewire send` signs is accepted, and each reason to refuse has its own count.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Router } from './support.js';

const SECRET = 'a secret';
const STANDARD = `whsec_${Buffer.from('a secret of at least 24 bytes in').toString('base64')}`;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (key) => key.export({ format: 'pem', type: key.type === 'public' ? 'spki' : 'pkcs8' });
const spki = (key) => key.export({ format: 'der', type: 'spki' }).toString('base64');

const hmac = (options) => `verify.hmac { header = "X-Signature", secret = secret("S", "OLD"), ${options} }`;

const schemes = {
  plain: hmac('prefix = "sha512=", algorithm = "sha512", encoding = "base64"'),
  parts: hmac('format = "k=v;", signed = "{timestamp}:{body}"'),
  list: hmac('format = "list", signed = "{id}.{timestamp}.{body}", timestamp = "headers.x-time", id = "headers.x-id"'),
  url: hmac('signed = "{method} {url} {host} {body}", public_url = "https://hooks.example.com"'),
  field: hmac('timestamp = "body.at"'),
  standard: 'verify.standard { secret = secret "STANDARD" }',
  bearer: 'verify.bearer(secret "S")',
  basic: 'verify.basic { user = "ann", password = secret "S" }',
  hs256: 'verify.jwt { algorithm = "HS256", key = secret "S", issuer = "https://id.example.com", audience = "tidewire" }',
  rs256: `verify.jwt { algorithm = "RS256", key = "${spki(rsa.publicKey)}" }`,
  es256: `verify.jwt { algorithm = "ES256", key = "${spki(ec.publicKey)}" }`,
  eddsa: `verify.jwt { algorithm = "EdDSA", key = "${spki(ed.publicKey)}", audience = { "tidewire", "other" } }`,
};
const keys = { rs256: rsa, es256: ec, eddsa: ed };

let router;

before(async () => {
  const routes = Object.entries(schemes).map(([name, scheme]) =>
    `route "/${name}" { verify = ${scheme}, handle = function(event) drop(event.verified) end }`);
  router = await Router.start({ 'all.lua': routes.join('\n') }, { env: { S: SECRET, OLD: 'an old one', STANDARD } });
});

after(() => router?.end());

async function send(name, ...more) {
  const words = ['send', `/${name}`, ...more];
  if (name === 'url') words.push('--header', `Host: hooks.example.com`);
  if (keys[name]) {
    const file = join(router.folder, `${name}.pem`);
    writeFileSync(file, pem(keys[name].privateKey));
    words.push('--key', file);
  }
  return router.command(...words);
}

for (const name of Object.keys(schemes)) {
  test(`what send signs is accepted: ${name}`, async () => {
    const sent = await send(name, '--set', 'body.at=1750000000000');
    assert.equal(sent.code, 0, sent.stdout + sent.stderr);
    assert.match(sent.stdout, /^202 /);
    const bad = await send(name, '--set', 'body.at=1750000000', '--bad-signature');
    // a token says nothing about the body, so a key of its own has nothing to be wrong about
    if (!keys[name]) assert.match(bad.stdout, /^401 /, bad.stdout + bad.stderr);
  });
}

test('a sender with a key of its own needs one to send a sample', async () => {
  const without = await router.command('send', '/es256');
  assert.equal(without.code, 1);
  assert.match(without.stderr, /signs with a key of its own: give a private key with --key FILE/);
  const other = join(router.folder, 'other.pem');
  writeFileSync(other, 'not a key');
  assert.match((await router.command('send', '/es256', '--key', other)).stderr, /give a private key in PEM/);
});

test('what could not be verified is counted, and the operator is told why', async () => {
  const body = '{}';
  const now = Math.floor(Date.now() / 1000);
  const signed = (time, text = `${time}:${body}`) => `t=${time};v1=${createHmac('sha256', SECRET).update(text).digest('hex')}`;
  const refused = async (reason) => {
    const text = (await router.get('/metrics')).body.toString();
    return Number(text.match(new RegExp(`events_refused_total\\{route="/parts",reason="${reason}"\\} (\\d+)`))[1]);
  };
  const lastDetail = async () => {
    const all = (await router.status()).workers.flatMap((worker) => worker.requests).filter((one) => one.route === '/parts')
      .flatMap((one) => one.last_refused);
    return all.sort((a, b) => (a.at < b.at ? 1 : -1)).map((one) => one.detail);
  };
  for (const [reason, detail, headers] of [
    ['signature', /what the signature needs is not there exactly once/, {}],
    ['signature', /not of the scheme's form/, { 'x-signature': 'rubbish' }],
    ['signature', /not of the scheme's form/, { 'x-signature': signed('yesterday') }],
    ['signature', /the signature is another one/, { 'x-signature': signed(now, 'other') }],
    ['stale', /too far from now/, { 'x-signature': signed(now - 3600) }],
    ['stale', /too far from now/, { 'x-signature': signed(now + 3600) }],
  ]) {
    const earlier = await refused(reason);
    const answer = await router.post('/parts', body, headers);
    assert.equal(answer.status, 401);
    assert.match(answer.body.toString(), /could not be verified/); // the sender is not told why
    assert.equal(await refused(reason) - earlier, 1);
    assert.ok((await lastDetail()).some((one) => detail.test(one)), `${detail}`);
  }
});

test('a replay whose signature is written in capitals is the same signature', async () => {
  const body = '{"a":1}';
  const github = await Router.start({
    'g.lua': 'route "/g" { from = provider.github { secret = secret "S" }, handle = function() drop "seen" end }',
  }, { env: { S: SECRET } });
  try {
    const hex = createHmac('sha256', SECRET).update(body).digest('hex');
    const post = (id, digest) => github.post('/g', body, { 'content-type': 'application/json', 'x-github-event': 'push',
      'x-github-delivery': id, 'x-hub-signature-256': `sha256=${digest}` });
    assert.equal((await post('one', hex)).headers['tidewire-duplicate'], undefined);
    assert.equal((await post('two', hex)).headers['tidewire-duplicate'], 'true');
    assert.equal((await post('three', hex.toUpperCase())).headers['tidewire-duplicate'], 'true');
  } finally {
    await github.end();
  }
});
