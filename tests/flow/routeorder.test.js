// order_by on a route: events of one key are handled one after the other, in the order they came; their senders do not wait.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { LONG, Router, startTarget, until } from './support.js';

const route = (url, path, order, more = '') => `route "${path}" {
  verify = verify.none "a test", ${order && `order_by = ${order},`} retry = { first = "20ms", factor = 1, attempts = 4 }, ${more}
  handle = function(event)
    local answer = http.post("${url}${path}", { private = true, json = event.body })
    if answer.status == 503 then retry() end
    if answer.status == 410 then fail("gone") end
    if answer.status == 204 then drop("enough") end
    log.info("handled", { key = event.body.key, n = event.body.n })
  end,
}
`;
const rules = (url, order = '"body.key"') => [
  route(url, '/in', order),
  route(url, '/function', 'function(event) return event.body.key end'),
  route(url, '/received', '"body.key"', 'ack = "received", keep = false, dedupe = false,'),
  route(url, '/each', '"body.key"', 'each = true,'),
  route(url, '/when', 'function(event) return event.body.key.id end',
    'when = function(event) return event.body.n ~= 0 end, dedupe = "body.n",'),
].join('');

const post = (router, path, body) => router.post(path, JSON.stringify(body), { 'content-type': 'application/json' });
const numbers = (count) => Array.from({ length: count }, (_, i) => i + 1);

describe('order_by of a route', () => {
  let target;
  let router;
  let plan = () => ({ status: 200 });
  let open = new Map(); // key → requests of handlers that are not answered yet; a new one for each test
  let most = 0; // handlers that waited at one time
  let overlaps = 0; // two of one key at one time
  const handled = (path) => target.received.filter((got) => got.url === path).map((got) => JSON.parse(got.body));
  const of = (path, key) => handled(path).filter((got) => got.key === key).map((got) => got.n);
  const begin = (got) => {
    const { key } = JSON.parse(got.body);
    if (open.has(key)) overlaps++;
    open.set(key, (open.get(key) ?? 0) + 1);
    most = Math.max(most, open.size);
  };
  const end = (from, got) => {
    const { key } = JSON.parse(got.body);
    if (from.get(key) === 1) from.delete(key);
    else from.set(key, from.get(key) - 1);
  };
  const kill = async () => {
    await router.stop('SIGKILL');
    await until('the server to be gone', async () => (await router.get('/healthz').catch(() => null)) === null);
  };
  before(async () => {
    target = await startTarget((got, n) => {
      begin(got);
      const planned = plan(got, n);
      if (!planned.never) setTimeout(end, planned.delayMs ?? 0, open, got); // not after the answer
      return { delayMs: 1, ...planned };
    });
    router = await Router.start({ 'a.lua': rules(target.url) });
  });
  afterEach(() => {
    target.received.splice(0);
    open = new Map();
    most = overlaps = 0;
    plan = () => ({ status: 200 });
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  for (const path of ['/in', '/function', '/received']) {
    test(`${path}: many events of ten keys, one after the other of each, keys side by side`, async () => {
      const each = LONG || path === '/in' ? 100 : 20;
      plan = () => ({ status: 200, delayMs: 2 });
      await Promise.all(numbers(10).map(async (key) => {
        for (const n of numbers(each)) assert.equal((await post(router, path, { key, n })).status, 202);
      }));
      await until('all of them', () => handled(path).length >= 10 * each);
      for (const key of numbers(10)) assert.deepEqual(of(path, key), numbers(each));
      assert.equal(overlaps, 0);
      assert.ok(most > 1, 'no two keys were handled side by side');
    });
  }

  test('a sender is answered while the one before is still being handled', async () => {
    plan = (got) => ({ status: 200, never: JSON.parse(got.body).n === 1 });
    const ids = [];
    for (const n of numbers(5)) ids.push((await post(router, '/in', { key: 'slow', n })).headers['tidewire-event-id']);
    await post(router, '/in', { key: 'other', n: 1 });
    await until('the other key', () => of('/in', 'other').length === 1);
    await until('the first', () => of('/in', 'slow').length === 1);
    const held = await router.event(ids[4]);
    assert.equal(held.state, 'waiting');
    assert.equal(held.next_at, undefined);
    assert.equal((await router.get(`/v1/events/${ids[2]}:replay`, 'POST')).status, 200, 'a replay wakes it, when its turn comes');
    assert.deepEqual(of('/in', 'slow'), [1]);
    plan = () => ({ status: 200 });
    await kill();
    await router.launch();
    await router.eventIn(ids[4], 'done');
    assert.deepEqual(of('/in', 'slow').slice(1), numbers(5));
  });

  test('one that is tried again holds the others back; one that is dead or dropped does not', async () => {
    const tries = new Map();
    const answers = { 2: 503, 3: 410, 4: 204, 5: 503 };
    plan = (got) => {
      const { n } = JSON.parse(got.body);
      tries.set(n, (tries.get(n) ?? 0) + 1);
      return { status: n === 5 && tries.get(n) > 2 ? 200 : answers[n] ?? 200 };
    };
    const ids = [];
    for (const n of numbers(6)) ids.push((await post(router, '/in', { key: 'tries', n })).headers['tidewire-event-id']);
    await router.eventIn(ids[5], 'done');
    assert.deepEqual(of('/in', 'tries'), [1, 2, 2, 2, 2, 3, 4, 5, 5, 5, 6]);
    for (const [i, state] of ['done', 'dead', 'dead', 'dropped', 'done', 'done'].entries()) {
      assert.equal((await router.event(ids[i])).state, state);
    }
    target.received.splice(0);
    plan = (got) => ({ status: 200, never: JSON.parse(got.body).n === 7 });
    await post(router, '/in', { key: 'tries', n: 7 });
    await until('the next one', () => of('/in', 'tries').length === 1);
    const again = JSON.parse((await router.get(`/v1/events/${ids[1]}:replay`, 'POST')).body).id;
    assert.equal((await router.event(again)).next_at, undefined, 'a replay takes its place behind those that wait');
    plan = () => ({ status: 200 });
    await kill();
    await router.launch();
    await router.eventIn(again, 'done');
    assert.deepEqual(of('/in', 'tries'), [7, 7, 2]);
  });

  test('no key is no order', async () => {
    plan = () => ({ never: true });
    for (const more of [{}, {}, { key: null }, { key: null }, { key: '' }, { key: '' }]) await post(router, '/in', { n: 1, ...more });
    await until('all of them at once', () => handled('/in').length === 6);
    plan = () => ({ status: 200 });
    await kill();
    await router.launch();
    await until('all of them again', () => handled('/in').length === 12);
  });

  test('the items of a list are handled in their order', async () => {
    plan = () => ({ status: 200, delayMs: 2 });
    await post(router, '/each', numbers(60).map((n) => ({ key: `k${n % 3}`, n })));
    await until('all of them', () => handled('/each').length === 60);
    for (const rest of [0, 1, 2]) assert.deepEqual(of('/each', `k${rest}`), numbers(60).filter((n) => n % 3 === rest));
    assert.equal(overlaps, 0);
  });

  test('a function is asked after `when`, and its error is a failed try; dedupe sees the same event', async () => {
    assert.equal((await post(router, '/when', { n: 0 })).headers['tidewire-event-id'], undefined);
    const failed = (await post(router, '/when', { n: 1 })).headers['tidewire-event-id'];
    const event = await router.eventIn(failed, 'done');
    assert.match(event.failures[0].detail, /a\.lua:\d+: /);
    const first = (await post(router, '/when', { n: 2, key: { id: 'x' } })).headers['tidewire-event-id'];
    const second = await post(router, '/when', { n: 2, key: { id: 'x' } });
    assert.equal(second.headers['tidewire-duplicate'], 'true');
    assert.equal(second.headers['tidewire-event-id'], first);
    await router.eventIn(first, 'done');
  });

  test('lasts over kill -9 with what waits, and reloads that take it away and bring it back', async () => {
    plan = (got) => ({ status: 200, never: JSON.parse(got.body).n === 1 });
    for (const n of numbers(20)) for (const key of ['a', 'b']) await post(router, '/in', { key, n });
    await until('the first ones', () => handled('/in').length === 2);
    await router.write('a.lua', rules(target.url, ''));
    assert.equal((await router.command('reload')).code, 0);
    plan = () => ({ status: 200, delayMs: 2 });
    await kill();
    target.received.splice(0);
    await router.launch();
    await until('all of them', () => handled('/in').length === 40);
    for (const key of ['a', 'b']) assert.deepEqual(of('/in', key), numbers(20), 'what had an order keeps it');
    plan = () => ({ never: true });
    for (const n of [21, 22]) await post(router, '/in', { key: 'a', n });
    await until('both at once', () => handled('/in').length === 42);
    await router.write('a.lua', rules(target.url));
    assert.equal((await router.command('reload')).code, 0);
    for (const n of [23, 24]) await post(router, '/in', { key: 'a', n });
    await until('the first with an order', () => of('/in', 'a').includes(23));
    assert.ok(!of('/in', 'a').includes(24));
  });
});
