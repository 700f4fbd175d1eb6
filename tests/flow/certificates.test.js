// Senders whose keys have to be fetched: AWS SNS, PayPal, key sets of tokens. A server of our own speaks for their hosts.
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync, randomUUID, sign as signWith } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Authority, startWorld } from './authority.js';
import { otherBase64, otherValues } from './bent.js';
import { Router, until } from './support.js';

/** CRC-32 as zlib's, which older versions of Node do not offer. */
function crc32(text) {
  let sum = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const TOPIC = 'arn:aws:sns:us-east-1:123456789012:orders';
const SNS = 'sns.us-east-1.amazonaws.com';
const PAYPAL = 'api.paypal.com';
const SANDBOX = 'api.sandbox.paypal.com';
const ID = 'id.example.com';
const WEBHOOK = '1JE4291016473214C';

const rules = `
  route "/sns" { from = provider.sns { topic = { "${TOPIC}", "arn:aws:sns:eu-west-1:123456789012:other" } },
    handle = function(event) drop(event.verified .. " " .. event.type .. " " .. event.body.Message) end }
  route "/sha1" { from = provider.sns { topic = "${TOPIC}", allow_sha1 = true }, handle = function() drop "x" end }
  route "/brief" { from = provider.sns { topic = "${TOPIC}", max_age = "1m" }, handle = function() drop "x" end }
  route "/paypal" { from = provider.paypal { webhook_id = "${WEBHOOK}" },
    handle = function(event) drop(event.verified .. " " .. event.type) end }
  for _, algorithm in ipairs { "RS256", "ES256", "EdDSA" } do
    route("/" .. algorithm) { verify = verify.jwt { algorithm = algorithm, jwks = "https://${ID}/keys", issuer = "me" },
      handle = function() drop "x" end }
  end
  route "/away" { verify = verify.jwt { algorithm = "RS256", jwks = "https://${ID}/away" }, handle = function() drop "x" end }
  route "/slow" { verify = verify.jwt { algorithm = "RS256", jwks = "https://${ID}/slow" }, handle = function() drop "x" end }
  route "/held" { verify = verify.jwt { algorithm = "RS256", jwks = "https://${ID}/held" }, handle = function() drop "x" end }`;

const keyPairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const jwk = (name, more) => ({ ...keyPairs[name].publicKey.export({ format: 'jwk' }), kid: name, use: 'sig', ...more });

let authority;
let world;
let router;
const answers = {};
const certificates = {};
let release; // ends what /held waits for

before(async () => {
  authority = new Authority();
  const between = authority.certify('Test Between', { by: authority.root, authority: true });
  const named = (name, options) => authority.certify(name, { by: between, ...options });
  const certify = {
    sns: authority.certify('sns.amazonaws.com'), // by nobody that we know, as AWS has it
    weak: authority.certify('sns.amazonaws.com', { bits: 1024 }),
    old: authority.certify('sns.amazonaws.com', { days: -1 }),
    paypal: named('messages.paypal.com'),
    expired: named('messages.paypal.com', { days: -1 }),
    misnamed: named('messages.paypal.com.example.com'),
    prefixed: named('notpaypal.com'),
    selfmade: authority.certify('messages.paypal.com'),
  };
  for (const [name, made] of Object.entries(certify)) {
    certificates[name] = made;
    const chain = ['paypal', 'expired', 'misnamed', 'prefixed'].includes(name) ? between.pem : '';
    answers[`${SNS}/${name}.pem`] = { body: made.pem };
    answers[`${PAYPAL}/certs/${name}`] = { body: made.pem + chain };
  }
  certificates.lone = certificates.paypal;
  Object.assign(answers, {
    [`${SNS}/moved.pem`]: { status: 302, headers: { location: `https://${SNS}/sns.pem` }, body: certify.sns.pem },
    [`${SNS}/huge.pem`]: { body: certify.sns.pem + '#'.repeat(65536) },
    [`${SNS}/full.pem`]: { body: certify.sns.pem + '\n'.repeat(65536 - certify.sns.pem.length) },
    [`${SNS}/text.pem`]: { body: 'not a certificate' },
    [`${SNS}/empty.pem`]: { body: '' },
    [`${SNS}/broken.pem`]: { status: 500, body: certify.sns.pem },
    [`${SNS}/SimpleNotificationService-0123456789abcdef.pem`]: { body: certify.sns.pem },
    [`${SANDBOX}/v1/notifications/certs/CERT-0123456789`]: { body: certify.paypal.pem + between.pem },
    [`${SNS}/`]: { body: '<ConfirmSubscriptionResponse/>' },
    [`${SNS}/refuse`]: { status: 403 },
    [`${PAYPAL}/certs/lone`]: { body: certify.paypal.pem },
    [`${ID}/keys`]: { body: JSON.stringify({ keys: [{ kty: 'oct', kid: 'x', k: 'AAAA' }, jwk('RS256'), jwk('ES256'), jwk('EdDSA'),
      jwk('RS256', { kid: 'enc', use: 'enc' })] }) },
    [`${ID}/away`]: { status: 503 },
    [`${ID}/slow`]: { never: true },
    [`${ID}/held`]: () => new Promise((resolve) => {
      release = () => resolve({ body: JSON.stringify({ keys: [jwk('RS256')] }) });
    }),
  });
  world = await startWorld(authority, [SNS, PAYPAL, SANDBOX, ID], answers);
  router = await Router.start({ 'all.lua': rules }, { env: world.env, flags: ['--workers', '1'] });
});

after(async () => {
  await router?.end();
  await world?.close();
  authority?.end();
});

async function refusedAs(reason) {
  let count = 0;
  for (const worker of (await router.status()).workers) {
    for (const route of worker.requests) count += route.refused[reason] ?? 0;
  }
  return count;
}

/** Sends, and expects a refusal that is counted under its reason. */
async function refuses(send, status, reason, what) {
  const before = await refusedAs(reason);
  const answer = await send();
  assert.equal(answer.status, status, `${what}: ${answer.body}`);
  assert.equal(await refusedAs(reason), before + 1, `${what}: not counted as ${reason}`);
}

// ---- SNS ----

const MEMBERS = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];

function message(change = {}, { by = 'sns', algorithm = 'RSA-SHA256' } = {}) {
  const made = { Type: 'Notification', MessageId: randomUUID(), TopicArn: TOPIC, Message: '{"order":"42\\n"}', Timestamp: new Date().toISOString(),
    SignatureVersion: '2', SigningCertURL: `https://${SNS}/${by}.pem`, ...change };
  const covered = MEMBERS.filter((name) => made[name] !== undefined).map((name) => `${name}\n${made[name]}\n`).join('');
  made.Signature = createSign(algorithm).update(covered).sign(certificates[by]?.key ?? certificates.sns.key, 'base64');
  return made;
}

const post = (route, body) => router.post(route, typeof body === 'string' ? body : JSON.stringify(body), { 'content-type': 'text/plain; charset=UTF-8' });

const subscription = (change) => message({ Type: 'SubscriptionConfirmation', Token: 'abc', Message: 'You have chosen to subscribe.',
  SubscribeURL: `https://${SNS}/?Action=ConfirmSubscription&Token=abc`, ...change });

describe('AWS SNS', () => {
  test('a message is accepted, its JSON read whatever its content type, its certificate fetched once', async () => {
    const answer = await post('/sns', message({ Subject: 'An "order" ü' }));
    assert.equal(answer.status, 202, answer.body);
    const event = await router.eventIn(JSON.parse(answer.body).id, 'dropped');
    assert.match(JSON.stringify(event), /sns Notification \{\\+"order/);
    for (let i = 0; i < 5; i++) assert.equal((await post('/sns', message())).status, 202);
    assert.equal(world.times(`${SNS}/sns.pem`), 1);
  });

  test('escapes of the JSON are no part of what is signed', async () => {
    const made = message({ Message: 'a/ü"\u0001' });
    const text = JSON.stringify(made).replace('a/ü', 'a\\/\\u00fc');
    assert.equal((await post('/sns', text)).status, 202);
  });

  test('the same message again is a repetition', async () => {
    const made = message();
    assert.equal((await post('/sns', made)).headers['tidewire-duplicate'], undefined);
    assert.equal((await post('/sns', made)).headers['tidewire-duplicate'], 'true');
  });

  test('each member that is signed, changed, gone or twice', async () => {
    const made = message({ Subject: 'one' });
    for (const name of ['Message', 'MessageId', 'Subject', 'Timestamp']) {
      const later = new Date(Date.now() + 1000).toISOString();
      const changed = { ...made, [name]: name === 'Timestamp' ? later : `${made[name].slice(0, -1)}~` };
      await refuses(() => post('/sns', changed), 401, 'signature', name);
      const gone = { ...made };
      delete gone[name];
      assert.equal((await post('/sns', gone)).status, 401, name);
      const twice = JSON.stringify(made).replace(/^\{/, `{${JSON.stringify(name)}:${JSON.stringify(made[name])},`);
      assert.equal((await post('/sns', twice)).status, 401, name);
    }
    await refuses(() => post('/sns', { ...made, Type: 'Other' }), 401, 'signature', 'Type');
    await refuses(() => post('/sns', { ...made, Subject: 7 }), 401, 'signature', 'a number');
    await refuses(() => post('/sns', { ...made, Signature: made.Signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }), 401, 'signature', 'Signature');
    await refuses(() => post('/sns', { ...made, Signature: '' }), 401, 'signature', 'no signature');
    for (const [what, bent] of [...otherValues(made.Signature), ...otherBase64('', made.Signature)]) {
      if (bent !== made.Signature) await refuses(() => post('/sns', { ...made, Signature: bent }), 401, 'signature', `Signature ${what}`);
    }
    await refuses(() => post('/sns', '{"not json'), 401, 'signature', 'no JSON');
  });

  test('a line end does not move the border between two members', async () => {
    const made = message({ Message: 'a\nMessageId\nb' });
    const shifted = { ...made, Message: 'a', MessageId: `b\nMessageId\n${made.MessageId}` };
    await refuses(() => post('/sns', shifted), 401, 'signature', 'shifted');
    assert.equal((await post('/sns', made)).status, 202);
  });

  test('another topic is refused before anything is fetched', async () => {
    const asked = world.asked.length;
    const made = message({ TopicArn: `${TOPIC}2`, SigningCertURL: `https://${SNS}/never.pem` });
    await refuses(() => post('/sns', made), 401, 'signature', 'topic');
    assert.equal(world.asked.length, asked);
  });

  test('version 1 only where allow_sha1 says so', async () => {
    const sha1 = () => message({ SignatureVersion: '1' }, { algorithm: 'RSA-SHA1' });
    await refuses(() => post('/sns', sha1()), 401, 'signature', 'version 1');
    assert.equal((await post('/sha1', sha1())).status, 202);
    assert.equal((await post('/sha1', message())).status, 202);
    await refuses(() => post('/sha1', message({ SignatureVersion: '2' }, { algorithm: 'RSA-SHA1' })), 401, 'signature', 'SHA-1 as 2');
    await refuses(() => post('/sha1', message({ SignatureVersion: '3' })), 401, 'signature', 'version 3');
  });

  test('a certificate elsewhere is not asked for', async () => {
    const asked = world.asked.length;
    for (const url of [`http://${SNS}/sns.pem`, 'https://example.com/sns.pem', 'https://sns.s3.amazonaws.com/sns.pem',
      'https://sns.s3-us-west-2.amazonaws.com/a.pem', 'https://sns.us-east-1.amazonaws.com.example.com/sns.pem', `https://${SNS}:443/sns.pem`,
      `https://me@${SNS}/sns.pem`, `https://${SNS}/sns.crt`, `https://${SNS}/?a=.pem`, `https://${SNS}/a#.pem`, `https://${SNS}\\.example.com/a.pem`,
      `https://x.${SNS}/sns.pem`, `https://sns..amazonaws.com/sns.pem`, 'file:///etc/passwd.pem']) {
      await refuses(() => post('/sns', message({ SigningCertURL: url })), 401, 'signature', url);
    }
    await refuses(() => post('/sns', message({ SigningCertURL: '' })), 401, 'signature', 'none');
    assert.equal(world.asked.length, asked);
  });

  test('a certificate that is none: 401, and it is asked once a minute', async () => {
    for (const name of ['moved', 'huge', 'text', 'empty', 'absent', 'weak', 'old']) {
      for (let i = 0; i < 2; i++) await refuses(() => post('/sns', message({}, { by: name })), 401, 'signature', name);
      assert.equal(world.times(`${SNS}/${name}.pem`), 1, name);
    }
    assert.equal((await post('/sns', message({}, { by: 'full' }))).status, 202); // 64 KiB to the byte
  });

  test('a certificate that cannot be had: 503, and it is asked once a minute', async () => {
    for (let i = 0; i < 2; i++) await refuses(() => post('/sns', message({}, { by: 'broken' })), 503, 'certificate_away', 'broken');
    assert.equal(world.times(`${SNS}/broken.pem`), 1);
    const elsewhere = message({ SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/a.pem' }); // not in the server's certificate
    await refuses(() => post('/sns', elsewhere), 503, 'certificate_away', 'TLS');
  });

  test('older or newer than an hour, or than max_age', async () => {
    const at = (seconds) => message({ Timestamp: new Date(Date.now() + seconds * 1000).toISOString() });
    for (const [route, seconds, status] of [['/sns', -3500, 202], ['/sns', 3500, 202], ['/brief', -50, 202], ['/brief', 50, 202]]) {
      assert.equal((await post(route, at(seconds))).status, status, `${route} ${seconds}`);
    }
    for (const [route, seconds] of [['/sns', -3700], ['/sns', 3700], ['/brief', -70], ['/brief', 70]]) {
      await refuses(() => post(route, at(seconds)), 401, 'stale', `${route} ${seconds}`);
    }
  });

  test('a subscription is confirmed, once it is verified', async () => {
    const name = `${SNS}/?Action=ConfirmSubscription&Token=abc`;
    await refuses(() => post('/sns', { ...subscription(), Token: 'other' }), 401, 'signature', 'not verified');
    await refuses(() => post('/sns', subscription({ TopicArn: `${TOPIC}2` })), 401, 'signature', 'topic');
    assert.equal(world.times(name), 0);
    const answer = await post('/sns', subscription());
    assert.deepEqual([answer.status, answer.body], [200, '']);
    await until('the confirmation', () => world.times(name) === 1);
    await until('its line', () => router.output.includes('a subscription is confirmed'));
  });

  test('addresses of others are not asked, and what fails is said', async () => {
    const asked = world.asked.length;
    for (const url of ['https://example.com/', `http://${SNS}/`, `https://${SNS}:8443/`, 'https://sns.s3.amazonaws.com/']) {
      assert.equal((await post('/sns', subscription({ SubscribeURL: url }))).status, 401, url);
    }
    assert.equal(world.asked.length, asked);
    assert.equal((await post('/sns', subscription({ SubscribeURL: `https://${SNS}/refuse` }))).status, 200);
    await until('its line', () => router.output.includes('a subscription could not be confirmed'));
  });

  test('the end of a subscription is an event', async () => {
    const answer = await post('/sns', subscription({ Type: 'UnsubscribeConfirmation' }));
    assert.equal(answer.status, 202, answer.body);
  });
});

test('samples: signed with the key of an authority of our own, else it is said why not', async () => {
  for (const provider of ['sns', 'paypal']) {
    const key = path.join(authority.folder, certificates[provider].keyFile);
    const samples = JSON.parse((await router.command('samples', provider, '--json')).stdout)[provider];
    assert.ok(samples.length >= 3);
    for (const name of samples) {
      const without = await router.command('send', `/${provider}`, name);
      assert.equal(without.code, 1);
      assert.match(without.stderr, /only the sender of .* can sign: its certificate is fetched from its own host/);
      const sent = await router.command('send', `/${provider}`, name, '--key', key);
      assert.equal(sent.code, 0, sent.stdout + sent.stderr);
      assert.match(sent.stdout, /^20[02] /);
    }
  }
  const proved = await router.command('samples', '--prove');
  assert.equal(proved.code, 0, proved.stdout);
});

// ---- PayPal ----

function transmission(change = {}, { by = 'paypal', body = JSON.stringify({ event_type: 'PAYMENT.CAPTURE.COMPLETED' }) } = {}) {
  const made = { id: randomUUID(), time: new Date().toISOString().replace(/\.\d+/, ''), webhook: WEBHOOK, sum: String(crc32(body)), ...change };
  const covered = [made.id, made.time, made.webhook, made.sum].join('|');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'paypal-transmission-id': made.id,
      'paypal-transmission-time': made.time,
      'paypal-transmission-sig': createSign('RSA-SHA256').update(covered).sign(certificates[by].key, 'base64'),
      'paypal-cert-url': `https://${PAYPAL}/certs/${by}`,
      'paypal-auth-algo': 'SHA256withRSA',
    },
  };
}
const transmit = ({ headers, body }, more = {}) => router.post('/paypal', body, { ...headers, ...more });

describe('PayPal', () => {
  test('a transmission is accepted, its certificate fetched once', async () => {
    const answer = await transmit(transmission());
    assert.equal(answer.status, 200, answer.body);
    const bodies = ['{"event_type":"A","n":"ü"}', '{}', JSON.stringify({ n: 'x'.repeat(10000) })];
    for (const body of bodies) assert.equal((await transmit(transmission({}, { body }))).status, 200);
    const [event] = await router.events('&route=/paypal&type=PAYMENT.CAPTURE.COMPLETED');
    assert.match(JSON.stringify(await router.eventIn(event.id, 'dropped')), /paypal PAYMENT\.CAPTURE\.COMPLETED/);
    assert.equal(world.times(`${PAYPAL}/certs/paypal`), 1);
  });

  test('the algorithm is not what a header names', async () => {
    assert.equal((await transmit(transmission(), { 'paypal-auth-algo': 'none' })).status, 200);
  });

  test('anything changed', async () => {
    const made = transmission();
    await refuses(() => transmit({ ...made, body: made.body.replace('CAPTURE', 'CAPTURF') }), 401, 'signature', 'body');
    await refuses(() => transmit(made, { 'paypal-transmission-id': randomUUID() }), 401, 'signature', 'id');
    await refuses(() => transmit(made, { 'paypal-transmission-time': new Date(Date.now() + 2000).toISOString() }), 401, 'signature', 'time');
    await refuses(() => transmit(transmission({ webhook: 'OTHER' })), 401, 'signature', 'webhook');
    await refuses(() => transmit(transmission({ sum: String(crc32(made.body) | 0) })), 401, 'signature', 'a sum below zero');
    for (const name of ['paypal-transmission-id', 'paypal-transmission-time', 'paypal-transmission-sig', 'paypal-cert-url']) {
      const headers = { ...made.headers };
      delete headers[name];
      await refuses(() => transmit({ ...made, headers }), 401, 'signature', name);
    }
    await refuses(() => transmit(made, { 'paypal-transmission-time': 'yesterday' }), 401, 'signature', 'time');
  });

  test('a header that is nearly the right one', async () => {
    const made = transmission();
    for (const name of ['id', 'time', 'sig'].map((one) => `paypal-transmission-${one}`)) {
      const value = made.headers[name];
      for (const [what, bent] of [...otherValues(value), ...(name.endsWith('sig') ? otherBase64('', value) : [])].filter(([, one]) => one !== value)) {
        await refuses(() => transmit(made, { [name]: bent }), 401, 'signature', `${name} ${what}`);
      }
    }
    assert.equal((await transmit(made)).status, 200);
  });

  test('a certificate of somebody else: 401, and it is asked once a minute', async () => {
    for (const by of ['expired', 'misnamed', 'prefixed', 'selfmade', 'lone']) {
      for (let i = 0; i < 2; i++) await refuses(() => transmit(transmission({}, { by })), 401, 'signature', by);
      assert.equal(world.times(`${PAYPAL}/certs/${by}`), 1, by);
    }
    const asked = world.asked.length;
    for (const url of [`http://${PAYPAL}/certs/paypal`, 'https://api.paypal.com.example.com/certs/paypal', 'https://www.paypal.com/certs/paypal',
      `https://${PAYPAL}:443/certs/paypal`, `https://${SNS}/sns.pem`]) {
      await refuses(() => transmit(transmission(), { 'paypal-cert-url': url }), 401, 'signature', url);
    }
    assert.equal(world.asked.length, asked);
  });

  test('older or newer than five minutes', async () => {
    const at = (seconds) => transmission({ time: new Date(Date.now() + seconds * 1000).toISOString() });
    for (const seconds of [-290, 290]) assert.equal((await transmit(at(seconds))).status, 200, seconds);
    for (const seconds of [-310, 310]) await refuses(() => transmit(at(seconds)), 401, 'stale', seconds);
  });
});

// ---- key sets ----

function token(name, { kid = name, by = name, claims = {}, header = {} } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: name, kid, ...header })}.${part({ iss: 'me', exp: Date.now() / 1000 + 60, ...claims })}`;
  const key = { key: keyPairs[by].privateKey, dsaEncoding: 'ieee-p1363' };
  return `${text}.${signWith(by === 'EdDSA' ? null : 'sha256', Buffer.from(text), key).toString('base64url')}`;
}
const call = (route, text) => router.post(route, '{}', { 'content-type': 'application/json', authorization: `Bearer ${text}` });

describe('key sets', () => {
  for (const name of Object.keys(keyPairs)) {
    test(`${name}: the key that the token names`, async () => {
      assert.equal((await call(`/${name}`, token(name))).status, 202);
      await refuses(() => call(`/${name}`, token(name, { claims: { iss: 'you' } })), 401, 'signature', 'issuer');
      await refuses(() => call(`/${name}`, token(name, { claims: { exp: 1 } })), 401, 'stale', 'expired');
      const other = Object.keys(keyPairs).find((one) => one !== name);
      await refuses(() => call(`/${name}`, token(name, { kid: other })), 401, 'signature', 'a key of another kind');
      assert.equal(world.times(`${ID}/keys`), 1);
    });
  }

  test('a key that the set has not: asked for again at most once a minute', async () => {
    for (const kid of ['unknown', 'enc', 'x']) await refuses(() => call('/RS256', token('RS256', { kid })), 401, 'signature', kid);
    await refuses(() => call('/RS256', token('RS256', { header: { kid: undefined } })), 401, 'signature', 'no kid');
    assert.equal(world.times(`${ID}/keys`), 1);
  });

  test('a set that cannot be had', async () => {
    for (let i = 0; i < 2; i++) await refuses(() => call('/away', token('RS256')), 503, 'certificate_away', 'away');
    assert.equal(world.times(`${ID}/away`), 1);
  });

  test('a set that does not come: 503 after the time is over, and others are not held up', async () => {
    const began = Date.now();
    const slow = refuses(() => call('/slow', token('RS256')), 503, 'certificate_away', 'slow');
    assert.equal((await call('/RS256', token('RS256'))).status, 202);
    await slow;
    assert.ok(Date.now() - began >= 4500, 'not before its time');
  });
});

// ---- while a key is on its way ----

/** A request whose client goes when it is destroyed. */
function leaving(route, text) {
  const outgoing = http.request({ host: '127.0.0.1', port: router.port, path: route, method: 'POST', headers: { authorization: `Bearer ${text}` } });
  outgoing.on('error', () => {});
  outgoing.end('{}');
  return outgoing;
}

test('clients that go, and rules that change meanwhile', async () => {
  const gone = [leaving('/held', token('RS256')), leaving('/held', token('RS256'))];
  const stays = call('/held', token('RS256'));
  await until('the key set to be asked for', () => release);
  await until('all to wait', async () => (await router.status()).workers[0] !== undefined && world.times(`${ID}/held`) === 1);
  for (const outgoing of gone) outgoing.destroy();
  await router.write('all.lua', rules.replace('issuer = "me"', 'issuer = "me" '));
  assert.equal((await router.command('reload')).code, 0);
  release();
  assert.equal((await stays).status, 202);
  assert.equal((await call('/held', token('RS256'))).status, 202);
  assert.equal(world.times(`${ID}/held`), 1);
});

test('a drain waits for them, and ends without them', async () => {
  const other = await Router.start({ 'all.lua': rules }, { env: world.env, flags: ['--workers', '1'] });
  release = null;
  const waits = other.post('/held', '{}', { 'content-type': 'application/json', authorization: `Bearer ${token('RS256')}` });
  await until('the key set to be asked for', () => release);
  const ended = other.stop();
  await until('the drain', () => other.output.includes('draining'));
  release();
  assert.equal((await waits).status, 202);
  await ended;
  await other.launch();
  const lost = other.post('/slow', '{}', { authorization: `Bearer ${token('RS256')}` }).catch(() => 'gone');
  await until('the key set to be asked for', () => world.times(`${ID}/slow`) === 2);
  await other.end();
  await lost;
});

test('an address that is private is not asked', async () => {
  const other = await Router.start({
    'all.lua': 'route "/x" { verify = verify.jwt { algorithm = "RS256", jwks = "https://127.0.0.1/keys" }, handle = function() end }',
  });
  const answer = await other.post('/x', '{}', { authorization: `Bearer ${token('RS256')}` });
  assert.equal(answer.status, 503);
  await until('its line', () => other.output.includes('a private address'));
  await other.end();
});
