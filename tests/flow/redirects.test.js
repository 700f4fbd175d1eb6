// Targets with `redirects`: what is followed, what goes along, and what ends.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Authority } from './authority.js';
import { startSecureTarget } from './secure.js';
import { BINARY, Router, startTarget } from './support.js';

const FAR = '11.22.33.44'; // no private address; tests/support/far.c makes it this machine

async function deliver(router, name) {
  const answer = await router.post(`/${name}`, '{"a":1}', { 'content-type': 'application/json' });
  assert.equal(answer.status, 202);
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done', 'dead');
  return event.deliveries[0];
}

const rule = (name, url, redirects, more = '') => `
  do
    local t = target "${name}" { url = "${url}", redirects = ${redirects}, retry = false, breaker = false,
      auth = auth.bearer(secret "TOKEN"), headers = { ["x-key"] = secret "TOKEN" },
      sign = sign.standard { secret = secret "SIGNING" }, ${more} }
    route "/${name}" { verify = verify.none "a test",
      handle = function() send(t, { json = { a = 1 }, headers = { ["x-message"] = "m" } }) end }
  end`;

const secrets = { TOKEN: 'very-secret', SIGNING: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
const shows = ['authorization', 'x-key', 'x-message', 'webhook-id', 'webhook-signature', 'webhook-timestamp'];
const hop = (status, location) => ({ status, headers: { location } });

describe('over HTTP/1.1', () => {
  let home;
  let away;
  let router;

  before(async () => {
    away = await startTarget((got) => (got.url === '/back' ? hop(307, `${home.url}/ok`) : { status: 200, body: 'away' }));
    home = await startTarget((got) => {
      const [, first, second] = got.url.split('/');
      if (/^30\d$/.test(first)) return hop(Number(first), second === 'away' ? `${away.url}/in` : '/ok');
      if (first === 'chain') return hop(307, Number(second) === 0 ? '/ok' : `/chain/${Number(second) - 1}`);
      switch (first) {
        case 'loop': return hop(302, '/loop');
        case 'file': return hop(302, 'file:///etc/passwd');
        case 'ftp': return hop(302, 'ftp://example.com/');
        case 'named': return hop(302, `http://user:pass@127.0.0.1:${away.port}/`);
        case 'nonsense': return hop(302, 'http://');
        case 'nowhere': return { status: 302 };
        case 'long': return hop(302, `/${'x'.repeat(9000)}`);
        case 'relative': return hop(308, 'ok?q=1#part');
        case 'back': return hop(307, `${away.url}/back`);
        case 'slow': return { ...hop(307, '/slow'), delayMs: 400 };
        case 'dead': return hop(307, 'http://127.0.0.1:1/');
        case 'big': return { ...hop(307, '/ok'), body: 'x'.repeat(100000) };
        default: return { status: 200, body: 'thanks' };
      }
    });
    const here = (name, way, redirects, more = '') => rule(name, `${home.url}/${way}`, redirects, `private = true, ${more}`);
    router = await Router.start({
      'a.lua': [301, 302, 303, 307, 308].map((one) => here(`s${one}`, one, 1) + here(`away${one}`, `${one}/away`, 1)).join('')
        + ['loop', 'file', 'ftp', 'named', 'nonsense', 'nowhere', 'long', 'back', 'dead', 'big'].map((name) => here(name, name, 3)).join('')
        + here('relative', 'relative/x', 1) + here('two', 'chain/1', 2) + here('three', 'chain/2', 2) + here('none', '307', 0)
        + here('put', '302', 1, 'method = "PUT"') + here('slow', 'slow', 3, 'timeout = "700ms"')
        + `\nlocal empty = target "empty" { url = "${home.url}/307", private = true, redirects = 1 }
           route "/empty" { verify = verify.none "a test", handle = function(event) send(empty, event) end }`
        + here('listed', '302', 0, 'success = { 302 }'),
    }, { env: secrets });
  });

  after(async () => {
    await router?.end();
    await home?.close();
    await away?.close();
  });

  const ofDelivery = (server, delivery) => server.received.filter((one) => one.headers['idempotency-key'] === delivery.id);

  for (const [status, method, body] of [[301, 'POST', '{"a":1}'], [302, 'POST', '{"a":1}'], [303, 'GET', ''], [307, 'POST', '{"a":1}'],
    [308, 'POST', '{"a":1}']]) {
    test(`${status} at the same host: ${method}, with all headers`, async () => {
      const delivery = await deliver(router, `s${status}`);
      assert.equal(delivery.state, 'delivered');
      const [asked, followed] = ofDelivery(home, delivery);
      assert.deepEqual([asked.method, asked.url], ['POST', `/${status}`]);
      assert.deepEqual([followed.method, followed.url, followed.body.toString()], [method, '/ok', body]);
      for (const name of shows) assert.equal(followed.headers[name], asked.headers[name], name);
      assert.equal(followed.headers['content-type'], body ? 'application/json' : undefined);
      assert.equal(delivery.tries.length, 1);
      assert.equal(delivery.tries[0].status, 200);
      assert.equal(delivery.tries[0].answer, 'thanks');
      assert.equal(delivery.tries[0].detail, `redirected: ${status} to 127.0.0.1:${home.port}`);
    });

    test(`${status} to another host: ${method}, without what shows who we are`, async () => {
      const delivery = await deliver(router, `away${status}`);
      assert.equal(delivery.state, 'delivered');
      const [followed, ...more] = ofDelivery(away, delivery);
      assert.equal(more.length, 0);
      assert.deepEqual([followed.method, followed.url, followed.body.toString()], [method, '/in', body]);
      for (const name of shows) assert.equal(followed.headers[name], undefined, name);
      assert.ok(!JSON.stringify(followed.headers).includes('very-secret'));
      assert.equal(followed.headers['content-type'], body ? 'application/json' : undefined);
      assert.match(followed.headers['user-agent'], /^tidewire/);
      assert.equal(delivery.tries[0].detail, `redirected: ${status} to 127.0.0.1:${away.port}`);
    });
  }

  test('an empty message stays one', async () => {
    const answer = await router.post('/empty', '');
    const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done', 'dead');
    assert.deepEqual(ofDelivery(home, event.deliveries[0]).map((one) => [one.method, one.body.length, one.headers['content-type']]),
      [['POST', 0, undefined], ['POST', 0, undefined]]);
  });

  test('another method goes along too', async () => {
    const delivery = await deliver(router, 'put');
    assert.deepEqual(ofDelivery(home, delivery).map((one) => one.method), ['PUT', 'PUT']);
  });

  test('a relative address is one of the same host; its fragment is never sent', async () => {
    const delivery = await deliver(router, 'relative');
    assert.deepEqual(ofDelivery(home, delivery).map((one) => one.url), ['/relative/x', '/relative/ok?q=1']);
  });

  test('as many as redirects says, not one more', async () => {
    assert.equal((await deliver(router, 'two')).state, 'delivered');
    const delivery = await deliver(router, 'three');
    assert.equal(delivery.state, 'dead');
    assert.equal(delivery.tries[0].status, 307);
    const there = `127.0.0.1:${home.port}`;
    assert.equal(delivery.reason, `answered 307, redirected: 307 to ${there}, 307 to ${there}, 307 not followed: it leads on once more`);
    assert.equal(ofDelivery(home, delivery).length, 3);
  });

  test('a loop ends', async () => {
    const delivery = await deliver(router, 'loop');
    assert.equal(delivery.state, 'dead');
    assert.equal(ofDelivery(home, delivery).length, 4);
  });

  test('without redirects nothing is followed', async () => {
    const delivery = await deliver(router, 'none');
    assert.equal(delivery.reason, 'answered 307');
    assert.equal((await deliver(router, 'listed')).state, 'delivered');
  });

  for (const [name, words] of [
    ['file', /^answered 302, redirected: 302 not followed: it leads to what is neither http nor https$/],
    ['ftp', /neither http nor https/],
    ['named', /to an address with a name and password/],
    ['nonsense', /to what is no address/],
    ['nowhere', /^answered 302$/],
    ['long', /^answered 302$/],
  ]) {
    test(`${name}: what leads nowhere is the answer`, async () => {
      const delivery = await deliver(router, name);
      assert.equal(delivery.state, 'dead');
      assert.equal(delivery.tries[0].status, 302);
      assert.match(delivery.reason, words);
      assert.equal(ofDelivery(home, delivery).length, 1);
    });
  }

  test('who comes back from another host stays without its headers', async () => {
    const delivery = await deliver(router, 'back');
    assert.equal(delivery.state, 'delivered');
    const [asked, returned] = ofDelivery(home, delivery);
    assert.ok(asked.headers.authorization);
    assert.equal(returned.url, '/ok');
    for (const name of shows) assert.equal(returned.headers[name], undefined, name);
  });

  test('the timeout is of all hops together', async () => {
    const delivery = await deliver(router, 'slow');
    assert.equal(delivery.tries[0].error_type, 'timeout');
    assert.match(delivery.reason, /^timeout: .*; redirected: 307 to 127\.0\.0\.1/);
    assert.ok(delivery.tries[0].took_ms >= 690, `${delivery.tries[0].took_ms} ms`);
  });

  test('a hop that fails says where', async () => {
    const delivery = await deliver(router, 'dead');
    assert.equal(delivery.tries[0].error_type, 'connect');
    assert.equal(delivery.reason, 'connect: nobody answers there; redirected: 307 to 127.0.0.1:1');
  });

  test('the body of a redirect is of no interest', async () => {
    const delivery = await deliver(router, 'big');
    assert.deepEqual([delivery.state, delivery.tries[0].answer], ['delivered', 'thanks']);
  });
});

describe('from outside', () => {
  let home;
  let inside;
  let router;

  before(async () => {
    inside = await startTarget();
    home = await startTarget((got) => (got.url === '/in' ? hop(307, `${inside.url}/secret`) : got.url === '/far' ? hop(307, '/ok') : {}));
    router = await Router.start({
      'a.lua': rule('in', `http://${FAR}:${home.port}/in`, 3) + rule('far', `http://${FAR}:${home.port}/far`, 3),
    }, { env: { ...secrets, LD_PRELOAD: path.join(path.dirname(BINARY), 'tests', 'far.so'), ASAN_OPTIONS: 'verify_asan_link_order=0' } });
  });

  after(async () => {
    await router?.end();
    await home?.close();
    await inside?.close();
  });

  test('nobody is sent to a private address', async () => {
    assert.equal((await deliver(router, 'far')).state, 'delivered');
    const delivery = await deliver(router, 'in');
    assert.equal(delivery.state, 'dead');
    assert.equal(delivery.tries[0].error_type, 'blocked_address');
    assert.match(delivery.reason, new RegExp(`redirected: 307 to 127.0.0.1:${inside.port}$`));
    assert.equal(inside.received.length, 0);
  });
});

for (const h2 of [false, true]) {
  describe(h2 ? 'by https, over HTTP/2' : 'by https', () => {
    let authority;
    let home;
    let away;
    let plain;
    let router;

    before(async () => {
      authority = new Authority();
      const { pem, key } = authority.certify('Server', { by: authority.root, hosts: ['localhost'] });
      const client = authority.certify('Client', { by: authority.root });
      const tls = { cert: pem, key, ca: authority.root.pem, requestCert: true, rejectUnauthorized: false };
      plain = await startTarget();
      away = await startSecureTarget(tls, () => ({}), { h2 });
      home = await startSecureTarget(tls, (got) => {
        switch (got.url) {
          case '/here': return hop(307, '/ok');
          case '/away': return hop(308, `${away.url}/in`);
          case '/down': return hop(307, plain.url);
          default: return {};
        }
      }, { h2 });
      const own = 'private = true, tls = { ca = "root.pem", cert = "client.pem", key = "client.key" }';
      router = await Router.start({
        'root.pem': authority.root.pem, 'client.pem': client.pem, 'client.key': client.key,
        'a.lua': ['here', 'away', 'down'].map((name) => rule(name, `${home.url}/${name}`, 2, own)).join(''),
      }, { env: secrets });
    });

    after(async () => {
      await router?.end();
      for (const one of [home, away, plain]) await one?.close();
      authority.end();
    });

    test('at the same host all goes along, our certificate too', async () => {
      assert.equal((await deliver(router, 'here')).state, 'delivered');
      const [asked, followed] = home.received.slice(-2);
      assert.deepEqual([asked.url, asked.client], ['/here', 'Client']);
      assert.deepEqual([followed.url, followed.client, followed.method, followed.body], ['/ok', 'Client', 'POST', '{"a":1}']);
      for (const name of shows) assert.equal(followed.headers[name], asked.headers[name], name);
      assert.equal(followed.version, h2 ? '2.0' : '1.1');
    });

    test('another host sees neither headers nor certificate, and is verified', async () => {
      assert.equal((await deliver(router, 'away')).state, 'delivered');
      const followed = away.received.at(-1);
      assert.deepEqual([followed.url, followed.client, followed.method, followed.body], ['/in', null, 'POST', '{"a":1}']);
      for (const name of shows) assert.equal(followed.headers[name], undefined, name);
      assert.equal((await deliver(router, 'here')).state, 'delivered'); // and the next request shows it again
      assert.equal(home.received.at(-1).client, 'Client');
    });

    test('nothing goes on without encryption', async () => {
      const delivery = await deliver(router, 'down');
      assert.equal(delivery.reason, 'answered 307, redirected: 307 not followed: it leads from https to http');
      assert.equal(plain.received.length, 0);
    });
  });
}
