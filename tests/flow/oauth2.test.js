// auth.oauth2: a token is asked for once, kept until shortly before it ends, thrown away once when the target does not know it, and
// on no screen.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Router, command, freePort, startTarget, until } from './support.js';

const SECRET = 'client+secret/with=signs';
const ID = 'the client:1';

let issuer;
let target;
let router;
const issued = []; // every token there ever was
const asked = (name) => issuer.received.filter((request) => request.url === `/token/${name}`);
const sent = (name) => target.received.filter((request) => request.url === `/${name}`);
const bearer = (request) => request.headers.authorization.match(/^Bearer (.+)$/)[1];

const json = (status, value) => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

/** What the token endpoint of a target answers; n: how often it was asked. */
const answers = {
  short: (token) => json(200, { access_token: token, token_type: 'bearer', expires_in: 1 }),
  slow: (token) => ({ ...json(200, { access_token: token, token_type: 'Bearer', expires_in: '3600' }), delayMs: 300 }),
  refused: () => json(400, { error: 'invalid_client', error_description: 'no such\nclient: s\u00fcper' }),
  later: (token, n) => (n < 3 ? json(503, {}) : json(200, { access_token: token })),
  light: (token, n) => (n < 2 ? json(500, {}) : json(200, { access_token: token })),
  html: () => ({ status: 200, body: '<html>' }),
  mac: () => json(200, { access_token: 'mac-token', token_type: 'mac' }),
  lines: () => json(200, { access_token: 'a\r\nX-Evil: 1' }),
  never: () => ({ never: true }),
};

const held = []; // answers of a token endpoint that a test gives by hand
const holding = http.createServer((_, response) => held.push(response));

const unknown = new Set(); // tokens that the target does not know any more

before(async () => {
  issuer = await startTarget((request) => {
    const name = request.url.split('/')[2];
    const token = `token-${name}-${issued.length}`;
    issued.push(token);
    return (answers[name] ?? ((text) => json(200, { access_token: text, token_type: 'Bearer', expires_in: 3600 })))(token, asked(name).length);
  });
  target = await startTarget((request) => {
    if (request.url === '/forbidden' || unknown.has(bearer(request))) return { status: 401 };
    return { status: 200 };
  });
  const declare = (name, options = 'retry = { first = "100ms", factor = 1, attempts = 4 }', scope = '') =>
    `targets["${name}"] = target "${name}" { url = "${target.url}/${name}", private = true, breaker = false, ${options},
    auth = auth.oauth2 { token_url = "${issuer.url}/token/${name}", id = "${ID}", secret = secret "CLIENT_SECRET"${scope} } }`;
  holding.listen(0, '127.0.0.1');
  await once(holding, 'listening');
  const deadPort = await freePort();
  router = await Router.start({
    'all.lua': `local targets = {}
      ${declare('plain', undefined, ', scope = { "orders:write", "a&b" }')}
      ${['slow', 'short', 'revoked', 'forbidden', 'later'].map((name) => declare(name)).join('\n')}
      ${['twin_a', 'twin_b', 'twin_c'].map((name) => declare(name).replace(`/token/${name}`, '/token/twins')).join('\n')}
      ${declare('left').replace(`${issuer.url}/token/left`, `http://127.0.0.1:${holding.address().port}`)}
      ${['refused', 'html', 'mac', 'lines'].map((name) => declare(name, 'retry = { attempts = 1 }')).join('\n')}
      ${declare('never', 'timeout = "200ms", retry = false')}
      targets.away = target "away" { url = "${target.url}/away", private = true, retry = false,
        auth = auth.oauth2 { token_url = "http://127.0.0.1:${deadPort}/token", id = "a", secret = secret "CLIENT_SECRET" } }
      targets.guarded = target "guarded" { url = "http://192.0.2.1/", retry = false,
        auth = auth.oauth2 { token_url = "${issuer.url}/token/guarded", id = "a", secret = secret "CLIENT_SECRET" } }
      route "/to/:name" { verify = verify.none "a test", handle = function(event) send(targets[event.params.name], event) end }
      ${declare('light')}
      route "/light" { verify = verify.none "a test", ack = "received", keep = false, dedupe = false,
        handle = function(event) send(targets.light, event) end }
      route "/http" { verify = verify.none "a test", retry = { attempts = 1 }, handle = function(event)
        http.get("${target.url}", { auth = auth.oauth2 { token_url = "${issuer.url}", id = "a", secret = secret "CLIENT_SECRET" } })
      end }`,
  }, { env: { CLIENT_SECRET: SECRET, TIDEWIRE_LOG_LEVEL: 'debug' } });
});

after(async () => {
  await router?.end();
  holding.closeAllConnections();
  holding.close();
  await issuer?.close();
  await target?.close();
});

const accept = async (name) => (await router.post(`/to/${name}`, '{"a":1}')).headers['tidewire-event-id'];

async function deliver(name, state = 'done') {
  return (await router.eventIn(await accept(name), state)).deliveries[0];
}

test('the token is asked for as RFC 6749 says, once, and goes with each message', async () => {
  await deliver('plain');
  await deliver('plain');
  assert.equal(asked('plain').length, 1);
  const [request] = asked('plain');
  assert.equal(request.method, 'POST');
  assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded');
  assert.equal(request.headers.accept, 'application/json');
  assert.deepEqual([...new URLSearchParams(request.body.toString())], [['grant_type', 'client_credentials'], ['scope', 'orders:write a&b']]);
  const pair = Buffer.from(request.headers.authorization.match(/^Basic (.+)$/)[1], 'base64').toString();
  const [id, secret] = pair.split(':').map((text) => decodeURIComponent(text.replace(/\+/g, ' ')));
  assert.deepEqual([id, secret], [ID, SECRET]);
  assert.equal(request.headers['idempotency-key'], undefined);
  assert.deepEqual(new Set(sent('plain').map(bearer)), new Set(issued.filter((token) => token.startsWith('token-plain-'))));
});

test('many that wait for it ask once', async () => {
  const ids = await Promise.all(Array.from({ length: 60 }, () => accept('slow')));
  for (const id of ids) await router.eventIn(id, 'done');
  assert.equal(asked('slow').length, 1);
  assert.equal(sent('slow').length, 60);
  assert.equal(new Set(sent('slow').map(bearer)).size, 1);
});

test('targets that ask for it in the same way share it, whichever worker took their events', async () => {
  for (const name of ['twin_a', 'twin_b', 'twin_c', 'twin_a', 'twin_b', 'twin_c']) await deliver(name);
  assert.equal(asked('twins').length, 1);
  assert.equal(new Set(['twin_a', 'twin_b', 'twin_c'].flatMap(sent).map(bearer)).size, 1);
});

test('one whose time is over is not used any more', async () => {
  await deliver('short');
  await until('another one to be asked for', async () => {
    await deliver('short');
    return asked('short').length >= 2;
  });
  assert.ok(new Set(sent('short').map(bearer)).size >= 2);
});

test('a token that the target does not know is thrown away, and the attempt goes on with another one', async () => {
  await deliver('revoked');
  unknown.add(bearer(sent('revoked')[0]));
  const delivery = await deliver('revoked');
  assert.equal(delivery.tries.length, 1); // one attempt, of two requests
  assert.equal(asked('revoked').length, 2);
  assert.deepEqual(sent('revoked').map((request) => unknown.has(bearer(request))), [true, true, false]);
  assert.equal(sent('revoked')[1].headers['idempotency-key'], sent('revoked')[2].headers['idempotency-key']);
});

test('a target that says 401 to every token is asked twice, and then has its answer', async () => {
  const delivery = await deliver('forbidden', 'dead');
  assert.equal(delivery.reason, 'answered 401');
  assert.equal(delivery.tries.length, 1);
  assert.equal(sent('forbidden').length, 2);
  assert.equal(asked('forbidden').length, 2);
  await deliver('forbidden', 'dead');
  assert.equal(asked('forbidden').length, 2); // it is not the token that it dislikes
  assert.equal(sent('forbidden').length, 3);
});

test('without a token the attempt has failed, is tried again, and says why', async () => {
  const delivery = await deliver('later');
  assert.deepEqual(delivery.tries.map((one) => one.error_type ?? one.status), ['oauth2', 'oauth2', 200]);
  assert.equal(delivery.tries[0].detail, 'token endpoint answered 503');
  assert.equal(sent('later').length, 1);
  assert.match(router.output, /"error_type":"oauth2"|error_type=oauth2/);
  assert.match((await router.get('/metrics')).body, /target="later".*oauth2"\} 2$/m);
});

const reasons = {
  refused: /^no more tries \(1\): oauth2: token endpoint answered 400 invalid_client: no such\?client: s\?\?per$/,
  html: /oauth2: token endpoint answered 200 with what is no JSON object$/,
  mac: /oauth2: token endpoint answered 200 with a token that is no bearer token$/,
  lines: /oauth2: token endpoint answered 200 with an access_token that is none/,
  never: /oauth2: no answer of the token endpoint: timeout: /,
  away: /oauth2: no answer of the token endpoint: connect: nobody answers there$/,
  guarded: /oauth2: no answer of the token endpoint: a private address; set private = true/,
};

for (const [name, reason] of Object.entries(reasons)) {
  test(`why there is none is said: ${name}`, async () => {
    assert.match((await deliver(name, 'dead')).reason, reason);
    assert.equal(sent(name).length, 0);
  });
}

test('an event that is kept nowhere is written when its message gets no token, and is sent later', async () => {
  const answer = await router.post('/light', '{"a":1}');
  assert.equal(answer.status, 202);
  await until('it to arrive', () => sent('light').length === 1);
  assert.equal(asked('light').length, 2);
  assert.equal(bearer(sent('light')[0]), issued.filter((token) => token.startsWith('token-light-')).at(-1));
});

test('http.* says that it takes none', async () => {
  const answer = await router.post('/http', '{}');
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'dead');
  assert.match(event.reason, /http\.get: auth\.oauth2 works on targets only/);
});

test('a message whose target goes while its token is asked for waits until it is back', async () => {
  const rules = await readFile(path.join(router.folder, 'rules/all.lua'), 'utf8');
  const reload = async (text) => {
    await router.write('all.lua', text);
    assert.equal((await router.command('reload')).code, 0);
  };
  const id = await accept('left');
  await until('the token to be asked for', () => held.length === 1);
  await reload(rules.replace(/^.*target "left"[^]*?} }$/m, ''));
  await new Promise((resolve) => held[0].end(JSON.stringify({ access_token: 'token-left' }), resolve));
  await deliver('plain'); // meanwhile
  assert.deepEqual([sent('left').length, (await router.event(id)).deliveries[0].state], [0, 'waiting']);
  await reload(rules);
  await router.eventIn(id, 'done');
  assert.deepEqual([sent('left').map(bearer), held.length], [['token-left'], 1]);
});

test('a server that ends while a token is asked for ends in time, and the message is sent by the next', async () => {
  answers.plain = () => ({ never: true });
  const [known] = sent('plain').map(bearer);
  unknown.add(known);
  const count = asked('plain').length;
  const id = await accept('plain');
  await until('the token to be asked for', () => asked('plain').length > count);
  answers.plain = undefined;
  await router.stop();
  await router.launch();
  const event = await router.eventIn(id, 'done');
  assert.equal(event.deliveries[0].state, 'delivered');
});

test('no token and no secret is in a log, in an answer of the API or in a stored byte', async () => {
  const shown = [router.said];
  for (const { id } of await router.events()) shown.push(JSON.stringify(await router.event(id)));
  shown.push((await router.get('/metrics')).body, JSON.stringify(await router.status()));
  for (const name of ['tidewire.db', 'tidewire.db-wal']) {
    shown.push((await readFile(path.join(router.folder, 'data', name)).catch(() => Buffer.alloc(0))).toString('latin1'));
  }
  assert.ok(issued.length > 5);
  for (const token of [...issued, SECRET, encodeURIComponent(SECRET)]) {
    assert.ok(!shown.some((text) => text.includes(token)), token);
  }
});

test('a rule with it is tested without a network', async () => {
  const folder = router.folder;
  await router.write('all_test.lua', `test "it is sent with a token" (function()
    local run = feed("/to/plain", { json = { a = 1 } })
    expect(run.state):is "done"
    expect(run.sent[1].headers.authorization):is "Bearer token-of-a-test"
  end)`);
  const run = await command(['test', folder], { env: { ...process.env } });
  assert.equal(run.code, 0, run.stdout + run.stderr);
});
