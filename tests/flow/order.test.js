// Messages of one key go out one after the other, in the order they were sent; other keys and other targets do not wait for them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LONG, Router, startTarget, until } from './support.js';

const rules = (url) => `
local o = target "ordered" {
  url = "${url}", private = true, concurrency = 100, order_by = "body.key", retry = { first = "20ms", factor = 1, within = "1h" },
}
local free = target "free" { url = "${url}/free", private = true, concurrency = 100 }
local gives_up = target "gives-up" { url = "${url}/bad", private = true, order_by = function(m) return m.body.key end, retry = false }

route "/one"  { verify = verify.none "a test", handle = function(event) send(o, event) end }
route "/many" {
  verify = verify.none "a test",
  handle = function(event)
    for i = 1, 5 do send(o, { json = { key = event.body.key, n = event.body.n .. "." .. i } }) end
  end,
}
route "/key" { verify = verify.none "a test", handle = function(event) send(free, { json = event.body, key = event.body.key }) end }
route "/bad" { verify = verify.none "a test", handle = function(event) send(gives_up, event) end }
`;

const post = (router, path, body) => router.post(path, JSON.stringify(body), { 'content-type': 'application/json' });

describe('an order key', () => {
  let target;
  let router;
  let plan = () => ({ status: 200 });
  const bodies = (url) => target.received.filter((got) => got.url === url).map((got) => JSON.parse(got.body));
  const forget = () => target.received.splice(0);
  before(async () => {
    target = await startTarget((got, n) => plan(got, n));
    router = await Router.start({ 'a.lua': rules(target.url) });
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  test('holds back what follows until the one before is delivered; other keys go on', async () => {
    const tries = new Map();
    plan = (got) => {
      const { key, n } = JSON.parse(got.body);
      const count = (tries.get(`${key} ${n}`) ?? 0) + 1;
      tries.set(`${key} ${n}`, count);
      return { status: key === 'a' && count <= 2 ? 503 : 200, delayMs: 5 };
    };
    for (let n = 1; n <= 6; n++) for (const key of ['a', 'b', 'c']) await post(router, '/one', { key, n });
    await until('all of them', () => bodies('/').length >= 6 * 3 + 12);
    assert.deepEqual(bodies('/').filter((got) => got.key === 'a').map((got) => got.n), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]);
    for (const key of ['b', 'c']) assert.deepEqual(bodies('/').filter((got) => got.key === key).map((got) => got.n), [1, 2, 3, 4, 5, 6]);
    const last = (key) => target.received.findLastIndex((got) => JSON.parse(got.body).key === key);
    assert.ok(last('b') < last('a') && last('c') < last('a'), 'they did not wait for it');
    forget();
  });

  test('keeps the order of send, of many events on many connections', async () => {
    plan = () => ({ status: 200, delayMs: Math.floor(Math.random() * 4) });
    const events = LONG ? 300 : 40;
    await Promise.all(['x', 'y', 'z'].map(async (key) => {
      for (let n = 1; n <= events; n++) await post(router, '/many', { key, n: String(n) });
    }));
    await until('all of them', () => bodies('/').length >= 3 * events * 5);
    const want = Array.from({ length: events * 5 }, (_, i) => `${Math.floor(i / 5) + 1}.${(i % 5) + 1}`);
    for (const key of ['x', 'y', 'z']) assert.deepEqual(bodies('/').filter((got) => got.key === key).map((got) => got.n), want);
    forget();
  });

  test('of the message itself orders a target that says nothing', async () => {
    plan = () => ({ status: 200, delayMs: Math.floor(Math.random() * 4) });
    for (let n = 1; n <= 30; n++) await post(router, '/key', { key: 'k', n });
    await until('all of them', () => bodies('/free').length >= 30);
    assert.deepEqual(bodies('/free').map((got) => got.n), Array.from({ length: 30 }, (_, i) => i + 1));
    forget();
  });

  test('shows what waits for an earlier one as blocked', async () => {
    plan = (got) => ({ status: 503, never: JSON.parse(got.body).n === 1 });
    const ids = [];
    for (let n = 1; n <= 2; n++) ids.push((await post(router, '/bad', { key: 'shown', n })).headers['tidewire-event-id']);
    await until('the first', () => bodies('/bad').length === 1);
    const [first, second] = await Promise.all(ids.map(async (id) => (await router.event(id)).deliveries[0]));
    assert.equal(first.state, 'waiting');
    assert.deepEqual([second.state, second.next_at, second.attempts], ['blocked', undefined, 0]);
    assert.match((await router.command('events', 'show', ids[1])).stdout, /blocked +gives-up/);
    plan = () => ({ status: 200 });
    await router.stop('SIGKILL');
    await until('the server to be gone', async () => (await router.get('/healthz').catch(() => null)) === null);
    await router.launch();
    await router.eventIn(ids[1], 'done');
    assert.equal((await router.event(ids[1])).deliveries[0].state, 'delivered');
    forget();
  });

  test('goes on behind one that is dead', async () => {
    plan = (got) => ({ status: JSON.parse(got.body).n === 2 ? 503 : 200, delayMs: 5 });
    const ids = [];
    for (let n = 1; n <= 3; n++) ids.push((await post(router, '/bad', { key: 'k', n })).headers['tidewire-event-id']);
    await router.eventIn(ids[1], 'dead');
    await router.eventIn(ids[2], 'done');
    assert.deepEqual(bodies('/bad').map((got) => got.n), [1, 2, 3]);
    forget();
  });

  test('lasts over kill -9 and a reload that takes the target away', async () => {
    plan = () => ({ status: 503 });
    for (let n = 1; n <= 20; n++) await post(router, '/one', { key: 'killed', n });
    await until('some tries', () => bodies('/').length > 2);
    await router.stop('SIGKILL');
    await until('the server to be gone', async () => (await router.get('/healthz').catch(() => null)) === null);
    await router.launch();
    await until('more tries', () => bodies('/').length > 5);
    assert.ok(bodies('/').every((got) => got.n === 1));
    await router.write('a.lua', '-- nothing');
    assert.equal((await router.command('reload')).code, 0);
    await router.write('a.lua', rules(target.url));
    assert.equal((await router.command('reload')).code, 0);
    forget();
    plan = () => ({ status: 200, delayMs: 2 });
    await until('all of them', () => bodies('/').some((got) => got.n === 20));
    const seen = bodies('/').map((got) => got.n);
    assert.deepEqual([...seen].sort((a, b) => a - b), seen);
    assert.deepEqual([...new Set(seen)].slice(-19), Array.from({ length: 19 }, (_, i) => i + 2));
  });
});
