// ack = "delivered": a sender is answered when the messages of its event have all ended.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

const TOKEN = 'not to be seen';
const rules = (url) => `
local quick   = { first = "20ms", factor = 1, attempts = 3 }
local free    = target "free" { url = "${url}/free", private = true, concurrency = 100, retry = quick }
local limited = target "limited" { url = "${url}/limited", private = true, concurrency = 1, retry = quick }
local ordered = target "ordered" { url = "${url}/ordered", private = true, concurrency = 100, order_by = "body.n", retry = quick }
local secret_place = target "secret-place" { url = "${url}/bad", private = true, auth = auth.bearer(secret "TOKEN"), retry = false }
local guard = verify.none "a test"

route "/to/:target" {
  verify = guard, ack = "delivered", ack_within = "10s", dedupe = "headers.x-key", retry = quick,
  handle = function(event)
    local to = event.params.target
    if to == "drop" then drop("enough") elseif to == "fail" then fail("gone") elseif to == "error" then error("always") end
    if to == "later" then sleep "30ms" end
    if to == "again" and event.attempt == 1 then retry("once") end
    if to == "free" or to == "all" or to == "later" or to == "again" then send(free, event) end
    if to == "limited" or to == "all" then send(limited, event) end
    if to == "ordered" or to == "all" then send(ordered, event) end
    if to == "bad" then send(secret_place, event) send(free, event) end
  end,
  on_error = function(event) send(limited, { text = "notice" }) end,
}
route "/short" {
  verify = guard, ack = "delivered", ack_within = "100ms", reply = { status = 200, text = "on its way" },
  handle = function(event) send(free, event) end,
}
`;

describe('ack = "delivered"', () => {
  let target;
  let router;
  let plan = () => ({ status: 200 });
  const post = (path, body = {}, headers = {}) => router.post(path, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  const start = async () => Router.start({ 'a.lua': rules(target.url) }, { env: { TOKEN }, flags: ['--drain', '1s'] });
  const gone = () => until('the server to be gone', async () => (await router.get('/healthz').catch(() => null)) === null);
  before(async () => {
    target = await startTarget((got, n) => plan(got, n));
    router = await start();
  });
  afterEach(() => {
    plan = () => ({ status: 200 });
    target.received.splice(0);
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  for (const [to, messages] of [['free', 1], ['limited', 1], ['ordered', 1], ['all', 3], ['later', 1], ['again', 1]]) {
    test(`/to/${to} answers when all is delivered`, async () => {
      plan = () => ({ status: 200, delayMs: 30 });
      for (let n = 1; n <= 8; n++) { // on both workers
        target.received.splice(0);
        const answer = await post(`/to/${to}`, { n });
        assert.equal(answer.status, 202);
        assert.equal(target.received.filter((got) => got.body.toString() !== 'notice').length, messages);
        const event = await router.event(answer.headers['tidewire-event-id']);
        assert.equal(JSON.parse(answer.body).id, event.id);
        assert.deepEqual(event.deliveries.filter((delivery) => !delivery.notice).map((delivery) => delivery.state),
          Array(messages).fill('delivered'));
      }
    });
  }

  test('waits over tries', async () => {
    let tries = 0;
    plan = () => ({ status: ++tries < 3 ? 503 : 200 });
    assert.equal((await post('/to/free')).status, 202);
    assert.equal(tries, 3);
  });

  for (const to of ['drop', 'nothing']) {
    test(`/to/${to}: nothing to deliver is answered like "stored"`, async () => {
      assert.equal((await post(`/to/${to}`)).status, 202);
    });
  }

  test('a message that is dead is 502, when the others have ended too; the key is claimed', async () => {
    plan = (got) => (got.url === '/bad' ? { status: 400, body: 'a secret answer' } : { status: 200, delayMs: 50 });
    const answer = await post('/to/bad', {}, { 'x-key': 'dead' });
    const id = answer.headers['tidewire-event-id'];
    assert.equal(answer.status, 502);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(JSON.parse(answer.body).detail, `event ${id} could not be delivered to target secret-place`);
    assert.ok(!answer.body.includes(TOKEN) && !answer.body.includes('a secret answer') && !answer.body.includes('127.0.0.1'));
    const event = await router.event(id);
    assert.deepEqual(event.deliveries.map((delivery) => delivery.state), ['dead', 'delivered']);
    const again = await post('/to/bad', {}, { 'x-key': 'dead' });
    assert.deepEqual([again.status, again.headers['tidewire-duplicate'], again.headers['tidewire-event-id']], [202, 'true', id]);
  });

  for (const to of ['fail', 'error']) {
    test(`/to/${to}: a handler that has failed for good is 500`, async () => {
      const answer = await post(`/to/${to}`);
      assert.equal(answer.status, 500);
      assert.equal((await router.event(answer.headers['tidewire-event-id'])).state, 'dead');
    });
  }

  test('past ack_within the sender gets the static reply, and the message goes on', async () => {
    plan = () => ({ status: 200, delayMs: 400 });
    const answer = await post('/short');
    assert.deepEqual([answer.status, answer.body], [200, 'on its way']);
    const id = answer.headers['tidewire-event-id'];
    assert.equal((await router.event(id)).state, 'delivering');
    await router.eventIn(id, 'done');
  });

  test('a client that goes away costs nothing: the message goes on', async () => {
    plan = () => ({ status: 200, delayMs: 100 });
    const before = (await router.events()).length;
    const socket = net.connect(router.port, '127.0.0.1');
    socket.write('POST /to/free HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}');
    await until('the message', () => target.received.length === 1);
    socket.destroy();
    await until('its end', async () => (await router.events()).length > before && (await router.events())[0].state === 'done');
  });

  test('many senders are each told of their own', async () => {
    plan = (got) => ({ status: JSON.parse(got.body).n % 5 === 0 ? 400 : 200, delayMs: Math.floor(Math.random() * 10) });
    router.agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
    const paths = ['/to/free', '/to/limited', '/to/ordered'];
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => post(paths[n % 3], { n })));
    answers.forEach((answer, n) => assert.equal(answer.status, n % 5 === 0 ? 502 : 202, `${n}`));
    router.agent = undefined;
  });

  test('a reload changes nothing for who waits', async () => {
    plan = () => ({ status: 200, delayMs: 300 });
    const answer = post('/to/free');
    await until('the message', () => target.received.length === 1);
    await router.write('b.lua', '-- another');
    assert.equal((await router.command('reload')).code, 0);
    assert.equal((await answer).status, 202);
    assert.equal(target.received.length, 1);
  });

  test('a router that ends answers at once; what is not delivered is sent by the next one', async () => {
    plan = () => ({ never: true });
    const answer = post('/to/free');
    await until('the message', () => target.received.length === 1);
    const ended = router.stop();
    assert.equal(await Promise.race([answer.then(() => 'answered'), ended.then(() => 'ended')]), 'answered');
    const got = await answer;
    assert.equal(got.status, 202);
    await ended;
    plan = () => ({ status: 200 });
    await router.launch();
    await router.eventIn(got.headers['tidewire-event-id'], 'done');
  });

  test('kill -9 breaks the connection, and the event goes on', async () => {
    plan = () => ({ never: true });
    const answer = post('/to/ordered', { n: 'killed' }).then(() => 'answered', () => 'broken');
    await until('the message', () => target.received.length === 1);
    await router.stop('SIGKILL');
    assert.equal(await answer, 'broken');
    await gone();
    plan = () => ({ status: 200 });
    await router.launch();
    await until('it again', () => target.received.length === 2);
    await until('its end', async () => (await router.events())[0].state === 'done');
  });
});
