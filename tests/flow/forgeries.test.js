// Forgeries: every way of being nearly right, of every provider, has to be refused, and counted; what is taken although it looks
// altered is listed with its reason. providers.test.js has the provider's own libraries; here the requests are bent by hand.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { base64Of, hexOf, isList, last, otherBase64, otherHex, otherValues } from './bent.js';
import { ENV, genuine, OTHER, providers, rules, TEXT } from './providers.js';
import { command, Router } from './support.js';

const SECOND = 1000;
const PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' });
const names = Object.keys(providers);
const windows = { linear: 60, twitch: 600 }; // seconds; 300 elsewhere

let router;

before(async () => {
  router = await Router.start({ 'all.lua': rules }, { env: ENV });
  router.agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
});

after(async () => {
  router?.agent.destroy();
  await router?.end();
});

const post = (made) => router.post(made.path, made.body, made.headers);
const withHeader = (made, name, value) => ({ ...made, headers: { ...made.headers, [name]: value } });
const withoutHeader = (made, name) => {
  const { [name]: _, ...headers } = made.headers;
  return { ...made, headers };
};

/** How often a route refused, by reason. */
async function refusals(route) {
  const sum = {};
  for (const worker of (await router.status()).workers) {
    for (const counts of worker.requests.filter((entry) => entry.route === route)) {
      for (const [reason, count] of Object.entries(counts.refused)) sum[reason] = (sum[reason] ?? 0) + count;
    }
  }
  return sum;
}

/** Sends forgeries [what, request] to the route of a provider: all of them get 401, and all of them are counted. */
async function refuse(name, forgeries, reasons = ['signature']) {
  const earlier = await refusals(`/${name}`);
  for (const [what, made] of forgeries) {
    const answer = await post(made);
    assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.body}`);
    assert.match(answer.body, /could not be verified/, what); // nobody is told why
  }
  const now = await refusals(`/${name}`);
  const counted = Object.keys(now).filter((reason) => now[reason] !== (earlier[reason] ?? 0));
  for (const reason of counted) assert.ok(reasons.includes(reason), `counted as ${reason}`);
  assert.equal(counted.reduce((sum, reason) => sum + now[reason] - (earlier[reason] ?? 0), 0), forgeries.length);
}

async function take(made, what) {
  const answer = await post(made);
  assert.ok(answer.status < 300, `${what}: ${answer.status} ${answer.body}`);
}

// ---- the body ----

/** One byte of the body is another one: the first, one of the middle, the last; bytes come, go, come twice; all are gone. */
function otherBodies(made) {
  const bytes = Buffer.from(made.body);
  const flipped = [0, bytes.length >> 1, bytes.length - 1].map((at) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    return [`byte ${at}`, copy];
  });
  return [
    ...flipped, ['empty', ''], ['longer', Buffer.concat([bytes, Buffer.from([0])])], ['a space behind', `${made.body} `],
    ['a space before', ` ${made.body}`], ['shorter', bytes.subarray(0, -1)], ['twice', made.body + made.body],
    ['a mark before', `\ufeff${made.body}`],
  ].map(([what, body]) => [`the body: ${what}`, { ...made, body }]);
}

describe('a body that is not the one that was signed', () => {
  for (const name of names.filter((one) => !providers[one].unsigned)) {
    test(name, async () => {
      const made = await genuine(name);
      await refuse(name, otherBodies(made));
      await take(made, 'the true one, after all of them');
    });
  }

  test('nor does the signature of an empty body serve for another, or the other way round', async () => {
    for (const name of names.filter((one) => !providers[one].unsigned && !providers[one].timeInBody)) {
      const provider = providers[name];
      const made = await genuine(name);
      const target = made.path.replace(/\?.*/, '') + (provider.query?.('') ?? '');
      const sign = name === 'github' ? providers.meta.sign : provider.sign; // the same scheme; GitHub's library signs no empty body
      const ofNothing = await sign('', { secret: provider.secret ?? TEXT, at: new Date(), path: target });
      await refuse(name, [
        ['signed empty', { ...made, path: target, headers: { ...made.headers, ...ofNothing } }], ['sent empty', { ...made, body: '' }],
      ]);
    }
  });
});

// ---- the headers that the sender signs with ----

describe('a header that is not the one that was signed with', () => {
  for (const name of names) {
    test(name, async () => {
      const made = await genuine(name);
      for (const header of made.signed) {
        const forged = otherValues(made.headers[header]).map(([what, value]) => [`${header} ${what}`, withHeader(made, header, value)]);
        await refuse(name, [[`${header} is gone`, withoutHeader(made, header)], ...forged], ['signature', 'stale']);
      }
      if (!providers[name].whole) await refuse(name, [['all of them are gone', { ...made, headers: { 'content-type': 'application/json' } }]]);
    });
  }
});

// ---- the signature itself ----

/** A request whose signature, in base64, has a character that another alphabet writes differently. */
async function genuineWithSymbol(name) {
  for (let tries = 0; tries < 200; tries++) {
    const made = await genuine(name);
    const [header] = made.signed.filter((one) => base64Of(made.headers[one]));
    if (/[+/]/.test(base64Of(made.headers[header])[1])) return made;
  }
  throw new Error('no signature has a symbol');
}

describe('a signature that is nearly the right one', () => {
  for (const name of names.filter((one) => !providers[one].whole)) {
    test(name, async () => {
      const plain = await genuine(name);
      const isBase64 = plain.signed.some((one) => base64Of(plain.headers[one]) && !providers[name].unsigned);
      const made = isBase64 ? await genuineWithSymbol(name) : plain;
      for (const header of made.signed) {
        const hex = hexOf(made.headers[header]);
        const base64 = !providers[name].unsigned && base64Of(made.headers[header]);
        const [prefix, digest] = hex ?? (base64 || []);
        if (!digest) continue;
        const forged = hex ? otherHex(prefix, digest) : otherBase64(prefix, digest);
        if (prefix) {
          forged.push(['without its prefix', digest], ['of version v0 and rubbish', `v0=${'0'.repeat(digest.length)}`],
            ['of an unknown version', prefix.replace(/\w+([=,])$/, (_, mark) => `v9${mark}`) + digest]);
          if (!isList(prefix)) forged.push(['with its prefix twice', prefix + prefix + digest]);
        } else {
          for (const other of ['sha256=', 'v0=', 'v1,', 'v1=']) forged.push([`behind ${other}`, other + digest]);
        }
        await refuse(name, forged.filter(([, value]) => value !== made.headers[header])
          .map(([what, value]) => [`${header} ${what}`, withHeader(made, header, value)]));
        if (hex) await take(withHeader(made, header, prefix + digest.toUpperCase()), 'hex has either case: the same bytes');
      }
    });
  }

  test('several in one header: any that is right will do, unknown versions do not count, seventeen are too many', async () => {
    for (const [name, mark] of [['stripe', ',v1='], ['calendly', ',v1='], ['paddle', ';h1='], ['standard', ' v1,'], ['svix', ' v1,']]) {
      const made = await genuine(name);
      const [header] = made.signed.filter((one) => /signature/.test(one));
      const wrong = mark + (name === 'standard' || name === 'svix' ? Buffer.alloc(32).toString('base64') : '0'.repeat(64));
      const value = made.headers[header];
      await refuse(name, [
        ['sixteen wrong ones behind it', withHeader(made, header, value + wrong.repeat(16))],
        ['only wrong ones', withHeader(made, header, (value.split(mark)[0] + wrong.repeat(3)).replace(/^v1,\S+ /, ''))],
      ]);
      await take(withHeader(made, header, value + wrong.repeat(15)), 'fifteen wrong ones behind it');
      await take(withHeader(made, header, value + `${mark.replace(/[vh]1/, 'v7')}anything`.repeat(20)), 'unknown versions');
    }
  });
});

// ---- what is only said ----

describe('a token that is nearly the right one', () => {
  const tokens = {
    gitlab: ['x-gitlab-token', ''], telegram: ['x-telegram-bot-api-secret-token', ''], okta: ['authorization', ''],
    cloudevents: ['authorization', 'Bearer '], cloudevents_structured: ['authorization', 'Bearer '],
  };
  for (const [name, [header, scheme]] of Object.entries(tokens)) {
    test(name, async () => {
      const made = await genuine(name);
      const values = [TEXT.toUpperCase(), TEXT.slice(0, -1), `${TEXT}!`, `${TEXT}\xe9`, TEXT.replaceAll(' ', '%20'), TEXT.replaceAll(' ', '  '),
        Buffer.from(TEXT).toString('base64'), OTHER, 'secret:TEXT', 'TEXT', '*', '%', `${TEXT}${'a'.repeat(8192)}`];
      const forged = values.map((value) => [value.slice(0, 40), withHeader(made, header, scheme + value)]);
      const schemes = scheme ? ['', 'Basic ', 'Bearer', 'Bearer  ', 'Bearer Bearer ', 'Token '] : ['Bearer ', 'Basic ', '"'];
      await refuse(name, [...forged, ...schemes.map((other) => [other, withHeader(made, header, other + TEXT)])]);
    });
  }

  for (const name of ['postmark', 'chargebee']) {
    test(name, async () => {
      const made = await genuine(name);
      const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`;
      const right = `hook:${TEXT}`;
      await refuse(name, [
        basic(`:${TEXT}`), basic(`Hook:${TEXT}`), basic(`hook:${TEXT} `), basic(`hook:${TEXT}\0`), basic(`hook:${OTHER}`), basic('hook:'), basic('hook'),
        basic(`hook::${TEXT}`), basic(`hoo:k${TEXT}`), basic(`${right}:${TEXT}`), `Basic ${right}`, `Bearer ${TEXT}`, 'Basic', 'Basic ====',
        basic(right).replace(/=+$/, ''), `${basic(right)}=`, basic(right).replace('Basic ', 'Basic  '), basic(right).replace('Basic ', 'Basic'),
        `${basic(right)} x`, `Basic ${'A'.repeat(8192)}`,
      ].filter((value) => value !== basic(right)).map((value) => [value.slice(0, 60), withHeader(made, 'authorization', value)]));
      await take(withHeader(made, 'authorization', basic(right).replace('Basic', 'bASIC')), 'a scheme has either case (RFC 7235)');
    });
  }
});

// ---- the time ----

describe('a time that is too far from now', () => {
  for (const name of names.filter((one) => providers[one].timed)) {
    test(name, async () => {
      const window = windows[name] ?? 300;
      const at = (off) => genuine(name, { at: new Date(Date.now() + off * SECOND) });
      await refuse(name, [['old', await at(-window - 30)], ['ahead', await at(window + 30)], ['of 2001', await at(-25 * 365 * 86400)]], ['stale']);
      await take(await at(-window + 30), 'old, within the window');
      await take(await at(window - 30), 'ahead, within the window');
      // who does not know the secret is not told that its time is wrong
      await refuse(name, [['old, another secret', await genuine(name,
        { at: new Date(0), secret: providers[name].wrong ?? OTHER })]], ['signature']);
    });
  }

  test('is read in one spelling only', async () => {
    for (const name of names.filter((one) => providers[one].timed)) {
      const made = await genuine(name);
      const [header] = made.signed.filter((one) => /^(\d{10,13}|\d{4}-\d\d-\d\dT.*Z)$/.test(made.headers[one]));
      if (!header) continue;
      const value = made.headers[header];
      const other = ['', '0', '-1', `-${value}`, `+${value}`, `0${value}`, `${value}.0`, `${value}e0`, `0x${value}`, value.slice(0, 9), `${value}0000`,
        'now', `${value},${value}`, '９'.repeat(10), '9'.repeat(30), value.replace('T', ' ').replace(/^(\d+)$/, '$1 $1'), `${value}Z`];
      await refuse(name, other.map((text) => [text, withHeader(made, header, Buffer.from(text).toString('latin1'))]));
    }
  });
});

// ---- another sender's signature ----

/** Those that sign in the same way with the same secret: what one sends the other takes. */
const families = [
  ['github', 'meta'], ['bitbucket', 'bitbucket_data_center', 'jira'], ['standard', 'openai', 'brex', 'replicate', 'gitlab_signed'],
  ['svix', 'clerk', 'resend'], ['postmark', 'chargebee'], ['cloudevents', 'cloudevents_structured'],
];
const related = (one, other) => families.some((family) => family.includes(one) && family.includes(other));

describe("another sender's request", () => {
  for (const name of names) {
    test(name, async () => {
      const strangers = names.filter((other) => other !== name && !related(name, other));
      const forged = await Promise.all(strangers.map(async (other) => {
        const made = await genuine(other);
        return [`that of ${other}`, { ...made, path: made.path.replace(`/${other}`, `/${name}`) }];
      }));
      await refuse(name, forged);
    });
  }

  test('nor is its way to sign taken under the right name, with the right secret', async () => {
    for (const name of names.filter((one) => !providers[one].whole && !providers[one].unsigned)) {
      const made = await genuine(name);
      const provider = providers[name];
      const [header] = made.signed.filter((one) => hexOf(made.headers[one]) ?? base64Of(made.headers[one]));
      const forged = [];
      for (const other of names.filter((one) => one !== name && !providers[one].whole && !providers[one].unsigned)) {
        const key = typeof (provider.secret ?? TEXT) === 'string' && typeof (providers[other].secret ?? TEXT) === 'string';
        if (!key || (providers[other].secret ?? TEXT) !== (provider.secret ?? TEXT)) continue;
        const theirs = await providers[other].sign(made.body, { secret: provider.secret ?? TEXT, at: new Date(), path: made.path });
        for (const value of Object.values(theirs)) {
          if (value !== made.headers[header]) forged.push([`${header} as ${other} has it`, withHeader(made, header, value)]);
        }
      }
      await refuse(name, forged);
    }
  });
});

// ---- what is beside the signature ----

describe('what a provider signs beside the body', () => {
  const resign = async (name, made, target, body = made.body) => ({ ...made, body,
    headers: { ...made.headers, ...(await providers[name].sign(body, { secret: TEXT, at: new Date(), path: target })) } });

  test('the address is the one that the rule names, not the one that the request says', async () => {
    for (const name of ['twilio', 'twilio_json', 'square', 'hubspot', 'hubspot_v2']) {
      const made = await genuine(name);
      const elsewhere = `/${name}/../other`;
      await refuse(name, [
        ['signed for another path', await resign(name, made, elsewhere)],
        ['signed for another query', await resign(name, made, `${made.path}${made.path.includes('?') ? '&' : '?'}a=1`)],
        ...(name === 'square' ? [] : [['with a query that is not signed',
          { ...made, path: `${made.path}${made.path.includes('?') ? '&' : '?'}a=1` }]]),
      ]);
      const moved = { host: 'attacker.example.com', 'x-forwarded-host': 'attacker.example.com', 'x-original-url': '/x', forwarded: 'host=x' };
      await take({ ...made, headers: { ...made.headers, ...moved } }, 'whatever it says of its host');
    }
  });

  test('twilio: forms are signed by their fields, JSON by its hash, and nothing else is taken', async () => {
    const form = await genuine('twilio');
    const hash = (await genuine('twilio_json')).path.replace(/^[^?]*/, '');
    const plain = await resign('twilio_json', await genuine('twilio_json'), '/twilio_json');
    await refuse('twilio', [
      ['a form with a hash', { ...(await resign('twilio', form, `/twilio${hash}`)), path: `/twilio${hash}` }],
      ...['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencodedx', ''].map((type) =>
        [`a body of "${type}"`, withHeader(form, 'content-type', type)]), ['of no type', withoutHeader(form, 'content-type')],
      ['of two types', withHeader(form, 'content-type', ['application/x-www-form-urlencoded', 'application/json'])],
      ['with a field more', { ...form, body: `${form.body}&Extra=1` }],
    ]);
    await refuse('twilio_json', [['JSON without a hash', { ...plain, path: '/twilio_json' }]]);
    await take(withHeader(form, 'content-type', 'application/x-www-form-urlencoded; charset=UTF-8'), 'a form with a charset');
  });

  test('linear: the time is the one of the body, once', async () => {
    const at = (text) => `{"type":"Issue","action":"create"${text}}`;
    const now = Date.now();
    const made = await genuine('linear');
    const forged = await Promise.all([
      '', `,"webhookTimestamp":null`, `,"webhookTimestamp":"soon"`, `,"webhookTimestamp":${now},"webhookTimestamp":${now}`, `,"webhookTimestamp":-${now}`,
      `,"webhookTimestamp":[${now}]`, `,"data":{"webhookTimestamp":${now}}`,
    ].map(async (text) => [text || 'none', await resign('linear', made, '/linear', at(text))]));
    await refuse('linear', [...forged, ...forged.map(([what, one]) => [`${what}, in the head`, withHeader(one, 'linear-timestamp', String(now))])]);
  });

  test('mailgun: each part of its signature is there once, as it was made', async () => {
    const made = await genuine('mailgun');
    const parts = JSON.parse(made.body);
    const { timestamp, token, signature } = parts.signature;
    const given = (text) => ({ ...made, body: `{"signature":${text},"event-data":{"event":"delivered"}}` });
    const other = (change) => [JSON.stringify(change), given(JSON.stringify({ timestamp, token, signature, ...change }))];
    const list = `"timestamp":"${timestamp}","token":"${token}","signature":"${signature}"`;
    await refuse('mailgun', [
      other({ signature: signature.slice(1) }), other({ signature: `${signature}00` }), other({ signature: [signature] }), other({ signature: null }),
      other({ token: `${token}0` }), other({ token: 7 }), other({ token: { token } }), other({ timestamp: `${timestamp}0` }), other({ timestamp: '' }),
      // digits move from one part to the other: the signed text stays as it was
      other({ timestamp: timestamp + token[0], token: token.slice(1) }), other({ timestamp: timestamp.slice(0, -1), token: last(timestamp) + token }),
      ['twice', given(`{${list},${list}}`)], ['a second token', given(`{${list},"token":"x"}`)], ['a list', given(`[{${list}}]`)],
      ['signed twice', { ...made, body: `{"signature":{${list}},"signature":{${list}}}` }], ['no JSON', { ...made, body: `${made.body}x` }],
      ['nothing', given('null')], ['an empty body', { ...made, body: '' }],
    ], ['signature', 'stale']);
    await take(made, 'the true one');
  });
});

describe('a request that is said again', () => {
  for (const name of names.filter((one) => !providers[one].unsigned && !providers[one].timed && !providers[one].once)) {
    test(`${name}: is known by its signature, whatever its head says`, async () => {
      const made = await genuine(name);
      const first = await post(made);
      const heads = Object.keys(made.headers).filter((header) => !made.signed.includes(header) && header !== 'content-type');
      for (const header of heads) {
        for (const changed of [withoutHeader(made, header), withHeader(made, header, 'another')]) {
          const again = await post(changed);
          assert.equal(again.headers['tidewire-duplicate'], 'true', header);
          assert.equal(again.headers['tidewire-event-id'], first.headers['tidewire-event-id'], header);
        }
      }
      const upper = made.signed.filter((header) => hexOf(made.headers[header]));
      for (const header of upper) {
        const [prefix, digest] = hexOf(made.headers[header]);
        assert.equal((await post(withHeader(made, header, prefix + digest.toUpperCase()))).headers['tidewire-duplicate'], 'true');
      }
    });
  }
});

// ---- secrets that are none ----

describe('a secret that is none', () => {
  const some = ['meta', 'stripe', 'gitlab', 'cloudevents'];
  const routes = (secret) => some.map((name) => `route "/${name}" {
    from = provider.${name} { ${providers[name].options.replace(/secret "\w+"/, secret)} }, handle = function() end }`).join('\n');

  test('that is not set verifies nothing, not even what is signed with nothing or with its name', async () => {
    const one = await Router.start({ 'a.lua': routes('secret "NOT_SET"') }, { env: ENV });
    for (const name of some) {
      for (const secret of [TEXT, '', 'NOT_SET', 'secret:NOT_SET']) {
        const made = await genuine(name, { secret });
        const answer = await one.post(`/${name}`, made.body, made.headers);
        assert.equal(answer.status, 503, `${name} ${secret}`);
        assert.match(answer.body, /the secret of this route is not set/);
      }
    }
    assert.equal((await one.events()).length, 0);
    await one.end();
  });

  const none = {
    'secret "EMPTY"': /secret "EMPTY" is empty: it would protect nothing/,
    'secret("TEXT", "EMPTY")': /secret "EMPTY" is empty: it would protect nothing/,
    'secret "PUBLIC"': /provider.meta: the secret "PUBLIC" is a public key, which anybody knows/,
    'secret("TEXT", "P256")': /the secret "P256" is a public key, which anybody knows/,
  };
  for (const [secret, says] of Object.entries(none)) {
    test(`that protects nothing stops the load: ${secret}`, async () => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-'));
      await mkdir(path.join(folder, 'rules'));
      await writeFile(path.join(folder, 'rules', 'a.lua'), routes(secret));
      const said = await command(['check', folder], { env: { ...process.env, ...ENV, EMPTY: '', PUBLIC: PEM } });
      await rm(folder, { recursive: true });
      assert.equal(said.code, 3);
      assert.match(said.stdout, says);
    });
  }
});
