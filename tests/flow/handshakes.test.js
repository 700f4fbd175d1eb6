// Senders that ask whether we are there: answered without a handler, counted and never stored.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ENV, genuine, OTHER, providers, TEXT } from './providers.js';
import { request, Router, until } from './support.js';

const names = ['slack', 'zoom', 'meta', 'dropbox', 'twitch', 'discord', 'okta', 'onfleet', 'cloudevents'];
const rules = names.map((name) => `
  route "/${name}" { from = provider.${name} { ${providers[name].options} }, handle = function() fail "not for a handler" end }`).join('');

let router;

before(async () => {
  router = await Router.start({ 'all.lua': rules }, { env: ENV });
});

after(() => router?.end());

const ask = (path, method = 'GET', headers = {}, body = undefined) =>
  request({ host: '127.0.0.1', port: router.port, path, method, headers }, body);

async function counted(route) {
  let handshakes = 0;
  for (const worker of (await router.status()).workers) {
    for (const counts of worker.requests.filter((entry) => entry.route === route)) handshakes += counts.handshakes;
  }
  return handshakes;
}

/** The headers of a provider for a body of ours. */
async function signed(name, body, secret = TEXT) {
  const made = await providers[name].sign(body, { secret: providers[name].secret ?? secret, at: new Date(), path: `/${name}` });
  return { 'content-type': 'application/json', ...made };
}

// name: [what is asked, with a value] and what the answer is
const echoes = {
  slack: async (value) => {
    const body = JSON.stringify({ type: 'url_verification', token: 'unused', challenge: value });
    return ask('/slack', 'POST', await signed('slack', body), body);
  },
  twitch: async (value) => {
    const body = JSON.stringify({ challenge: value, subscription: { type: 'stream.online' } });
    return ask('/twitch', 'POST', { ...(await signed('twitch', body)), 'twitch-eventsub-message-type': 'webhook_callback_verification' },
      body);
  },
  dropbox: (value) => ask(`/dropbox?challenge=${encodeURIComponent(value)}`),
  onfleet: (value) => ask(`/onfleet?check=${encodeURIComponent(value)}`),
  meta: (value, token = ENV.VERIFY_TOKEN, mode = 'subscribe') => ask(
    `/meta?${new URLSearchParams({ 'hub.mode': mode, 'hub.verify_token': token, 'hub.challenge': value })}`),
  okta: (value) => ask('/okta', 'GET', { 'x-okta-verification-challenge': value }),
};
const open = ['dropbox', 'onfleet', 'meta', 'okta'];

describe('a value that is given back', () => {
  for (const [name, echo] of Object.entries(echoes)) {
    test(`${name}: as it was, and nothing is stored`, async () => {
      const [events, before] = [(await router.events()).length, await counted(`/${name}`)];
      const answer = await echo('Some-challenge_1.2');
      assert.equal(answer.status, 200, answer.body);
      assert.equal(answer.body, name === 'okta' ? '{"verification":"Some-challenge_1.2"}' : 'Some-challenge_1.2');
      assert.equal(answer.headers['content-type'], name === 'okta' ? 'application/json' : 'text/plain');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(await counted(`/${name}`), before + 1);
      assert.equal((await router.events()).length, events);
    });

    test(`${name}: at most 256 bytes of it`, async () => {
      assert.equal((await echo('a'.repeat(256))).status, 200);
      assert.equal((await echo('a'.repeat(257))).status, 401);
    });
  }

  for (const name of open) {
    test(`${name}: what nothing signs has harmless bytes only`, async () => {
      for (const value of ['', '<script>', 'a b', 'a"b', 'a\\b', 'a/b', 'a%b', 'ä', 'a\tb']) {
        if (name === 'okta' && /[^\x20-\x7e]/.test(value)) continue; // no header has them
        assert.equal((await echoes[name](value)).status, 401, JSON.stringify(value));
      }
    });
  }

  test('a method that only a handshake has is none of the route', async () => {
    for (const name of open) {
      assert.equal((await ask(`/${name}`)).status, 401);
      const other = await ask(`/${name}`, 'DELETE');
      assert.equal(other.status, 405);
      assert.equal(other.headers.allow, 'GET, POST');
    }
    assert.equal((await ask('/slack?challenge=x')).status, 405);
  });

  test('meta: only with its token and in its mode', async () => {
    assert.equal((await echoes.meta('1', 'another')).status, 401);
    assert.equal((await echoes.meta('1', '')).status, 401);
    assert.equal((await echoes.meta('1', ENV.VERIFY_TOKEN, 'unsubscribe')).status, 401);
    assert.equal((await ask('/meta?hub.mode=subscribe&hub.challenge=1')).status, 401);
  });

  test('slack and twitch: only when the signature is right', async () => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'x' });
    assert.equal((await ask('/slack', 'POST', await signed('slack', body, OTHER), body)).status, 401);
    const twitch = { ...(await signed('twitch', body, OTHER)), 'twitch-eventsub-message-type': 'webhook_callback_verification' };
    assert.equal((await ask('/twitch', 'POST', twitch, body)).status, 401);
  });
});

describe('a value that is signed (Zoom)', () => {
  const validation = async (plainToken, secret = TEXT) => {
    const body = JSON.stringify({ event: 'endpoint.url_validation', payload: { plainToken } });
    return ask('/zoom', 'POST', await signed('zoom', body, secret), body);
  };
  test('the token and its HMAC come back', async () => {
    const answer = await validation('qgg8vlvZRS6UYooatFL8Aw');
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body), {
      plainToken: 'qgg8vlvZRS6UYooatFL8Aw', encryptedToken: createHmac('sha256', TEXT).update('qgg8vlvZRS6UYooatFL8Aw').digest('hex'),
    });
  });
  test('nothing else is signed for anybody', async () => {
    assert.equal((await validation('a'.repeat(64))).status, 200);
    for (const token of ['a'.repeat(65), '', 'v0:1:{}', 'a.b', 'a b', 7, null, ['a'], { a: 1 }]) {
      assert.equal((await validation(token)).status, 401, JSON.stringify(token));
    }
    assert.equal((await validation('a', OTHER)).status, 401);
  });
  test('while two secrets are set the answer is made with the one that signed the question', async () => {
    const one = await Router.start({
      'a.lua': 'route "/zoom" { from = provider.zoom { secret = secret("UNSET", "NEXT", "TEXT") }, handle = function() end }',
    }, { env: { ...ENV, NEXT: OTHER } });
    for (const secret of [TEXT, OTHER]) {
      const body = JSON.stringify({ event: 'endpoint.url_validation', payload: { plainToken: 'qgg8vlvZ' } });
      const answer = await one.post('/zoom', body, await signed('zoom', body, secret));
      assert.equal(answer.status, 200);
      assert.equal(JSON.parse(answer.body).encryptedToken, createHmac('sha256', secret).update('qgg8vlvZ').digest('hex'));
    }
    await one.end();
  });
});

describe('a fixed answer (Discord)', () => {
  const ping = async (body) => {
    const text = JSON.stringify(body);
    return ask('/discord', 'POST', await signed('discord', text), text);
  };
  test('interactions: PONG; webhook events: 204', async () => {
    const pong = await ping({ id: '1', type: 1, version: 1 });
    assert.equal(pong.status, 200);
    assert.deepEqual(JSON.parse(pong.body), { type: 1 });
    assert.equal(pong.headers['content-type'], 'application/json');
    assert.equal((await ping({ version: 1, type: 0 })).status, 204);
  });
  test('an event of type 1 is an event', async () => {
    const answer = await ping({ version: 1, type: 1, event: { type: 'ENTITLEMENT_CREATE' } });
    assert.equal(answer.status, 204);
    assert.equal((await router.event(answer.headers['tidewire-event-id'])).type, 'ENTITLEMENT_CREATE');
  });
});

describe('an origin that is allowed (CloudEvents)', () => {
  const options = (origin, more = {}) =>
    ask('/cloudevents', 'OPTIONS', { ...(origin && { 'webhook-request-origin': origin }), ...more });
  test('one of the list', async () => {
    const answer = await options('events.example.com', { 'webhook-request-rate': '120' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['webhook-allowed-origin'], 'events.example.com');
    assert.equal(answer.headers['webhook-allowed-rate'], '*');
    assert.equal(answer.headers.allow, 'OPTIONS, POST');
  });
  test('no other, and none', async () => {
    for (const origin of ['other.example.com', 'events.example.com.example.net', '*', undefined]) {
      const answer = await options(origin);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['webhook-allowed-origin'], undefined);
    }
  });
});

test('notion: the secret that it says is logged while none is set, once it is set it counts', async () => {
  const rule = { 'a.lua': 'route "/notion" { from = provider.notion { secret = secret "NOTION_TOKEN" }, handle = function() end }' };
  const said = JSON.stringify({ verification_token: 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl' });
  const json = { 'content-type': 'application/json' };
  const unset = await Router.start(rule, { env: {} });
  const first = await unset.post('/notion', said, json);
  assert.equal(first.status, 200);
  assert.equal(first.body, '');
  await until('the token to be logged', () => /secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl/.test(unset.output));
  assert.equal((await unset.post('/notion', '{"id":"1","type":"page.created"}', json)).status, 503);
  for (const token of ['a b', '', 'a'.repeat(257), 7]) {
    assert.equal((await unset.post('/notion', JSON.stringify({ verification_token: token }), json)).status, 503);
  }
  assert.equal((await unset.events()).length, 0);
  await unset.end();

  const set = await Router.start(rule, { env: { NOTION_TOKEN: TEXT } });
  assert.equal((await set.post('/notion', said, json)).status, 401);
  assert.doesNotMatch(set.output, /secret_tMrl/);
  assert.equal((await set.post('/notion', said, { ...json, ...(await providers.notion.sign(said, { secret: TEXT })) })).status, 200);
  assert.equal((await set.events()).length, 0);
  const made = await genuine('notion');
  assert.equal((await set.post('/notion', made.body, made.headers)).status, 200);
  assert.equal((await set.events()).length, 1);
  await set.end();
});

test('notion: a hundred secrets are logged by a worker, not more', async () => {
  const router = await Router.start({
    'a.lua': 'route "/notion" { from = provider.notion { secret = secret "NOTION_TOKEN" }, handle = function() end }',
  });
  router.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const say = (n) => router.post('/notion', JSON.stringify({ verification_token: `secret_${n}` }), { 'content-type': 'application/json' });
  for (let n = 0; n < 100; n++) assert.equal((await say(n)).status, 200);
  assert.equal((await say(100)).status, 503);
  await until('the last one to be logged', () => router.output.includes('secret_99'));
  assert.ok(!router.output.includes('secret_100'));
  router.agent.destroy();
  await router.end();
});

test('handshakes are among the numbers', async () => {
  const metrics = await router.get('/metrics');
  assert.match(metrics.body, /tidewire_handshakes_total\{route="\/slack"\} [1-9]/);
});
