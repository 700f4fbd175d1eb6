// What rules keep: decided at the commit for all workers at once, and still there after kill -9, restart and reload.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

let target;
let router;

const rules = () => `local a = target "a" { url = "${target.url}", private = true }
route "/count" { verify = verify.none "a test", handle = function(event) kv.incr("count", event.body.by) end }
route "/read" { verify = verify.none "a test", handle = function(event)
  send(a, { path = "/read", json = { key = event.body.key, value = kv.get(event.body.key) } })
end }
route "/set" { verify = verify.none "a test", handle = function(event)
  kv.set(event.body.key, event.body.value, event.body.ttl and { ttl = event.body.ttl } or nil)
end }
route "/first" { verify = verify.none "a test", handle = function(event)
  if kv.add("first:" .. event.body.id, true) then send(a, { path = "/first", json = { id = event.body.id } }) end
end }
route "/slow" { verify = verify.none "a test", handle = function(event)
  local mine = kv.add("slow:" .. event.body.id, true)
  sleep "20ms"
  if mine then send(a, { path = "/slow", json = { id = event.body.id } }) end
end }
route "/cas" { verify = verify.none "a test", handle = function(event)
  local n = kv.get "turns" or 0
  assert(kv.cas("turns", n > 0 and n or nil, n + 1))
end }
route "/dropped" { verify = verify.none "a test", handle = function() kv.set("dropped", 1) drop "no" end }
route "/later" { verify = verify.none "a test", handle = function(event)
  send(a, { path = "/later", json = { n = 2 }, delay = event.body.delay })
  send(a, { path = "/later", json = { n = 3 }, at = time.now() + 3600 })
  send(a, { path = "/later", json = { n = 1 }, at = 5 })
end }
route "/later-unkept" { verify = verify.none "a test", ack = "received", keep = false, dedupe = false, handle = function()
  send(a, { path = "/later-unkept", json = { n = 1 }, delay = "300ms" })
end }
local note = task "note" { handle = function(data) send(a, { path = "/note", json = { n = data.n, list = data.list } }) end }
local flaky = task "flaky" { retry = { attempts = 3, first = "1ms", max = "1ms" }, handle = function(data)
  if data then retry "not yet" end
  local again = kv.incr "flaky"
  send(a, { path = "/flaky", json = { n = again } })
end }
local chain = task "chain" { handle = function(data)
  if data < 3 then note:run_now({ n = 100 + data }) end
end }
route "/task" { verify = verify.none "a test", handle = function(event)
  local how = event.body.id and { id = event.body.id } or nil
  if event.body.cancel then return note:cancel(event.body.cancel) end
  note:run_in(event.body.after or "0s", event.body, how)
end }
route "/chain" { verify = verify.none "a test", handle = function(event) chain:run_at(time.now(), event.body.n) end }
route "/flaky" { verify = verify.none "a test", handle = function() flaky:run_now({}) flaky:run_now() end }
route "/task-dropped" { verify = verify.none "a test", handle = function() note:run_now({ n = 9 }) drop "no" end }
local pile = batch "pile" { every = "2s", max = 5, by = "team", retry = { attempts = 1000, first = "100ms", max = "100ms" }, flush = function(items, team)
  local numbers = json.array {}
  for i, item in ipairs(items) do numbers[i] = item.n end
  if team == "flaky" and not kv.get "mended" then retry "not yet" end
  send(a, { path = "/pile", json = { team = team or "none", numbers = numbers } })
end }
route "/pile" { verify = verify.none "a test", handle = function(event)
  pile:add(event.body)
  if event.body.drop then drop "no" end
end }
route "/unkept" { verify = verify.none "a test", ack = "received", keep = false, dedupe = false, handle = function() kv.incr "unkept" end }
`;

before(async () => {
  target = await startTarget();
  router = await Router.start({ 'x.lua': rules() });
});

after(async () => {
  await router?.end();
  await target?.close();
});

const post = async (route, body) => {
  const answer = await router.post(route, JSON.stringify(body), { 'content-type': 'application/json' });
  assert.equal(answer.status, 202, answer.body);
  return JSON.parse(answer.body || '{}').id;
};

const done = (route) => until(`all of ${route} to be done`, async () =>
  (await router.events(`&route=${encodeURIComponent(route)}`)).every((event) => ['done', 'dropped'].includes(event.state)));

const read = async (key) => {
  const before = target.received.length;
  await post('/read', { key });
  const got = await until('the value', () =>
    target.received.slice(before).map((one) => (one.url === '/read' ? JSON.parse(one.body) : {})).find((one) => one.key === key));
  return got.value;
};

const messages = (path) => target.received.filter((one) => one.url === path).map((one) => JSON.parse(one.body).id);

test('what two workers count is counted once each', async () => {
  await Promise.all(Array.from({ length: 200 }, (_, i) => post('/count', { by: i % 2 ? 2 : 1 })));
  assert.equal(await read('count'), 300);
});

test('of many events that add one key exactly one wins', async () => {
  const ids = Array.from({ length: 30 }, (_, i) => i);
  for (const route of ['/first', '/slow']) {
    await Promise.all(ids.flatMap((id) => Array.from({ length: 8 }, () => post(route, { id }))));
    await done(route);
    await until('one message each', () => messages(route).length >= ids.length);
    assert.deepEqual(messages(route).sort((x, y) => x - y), ids);
  }
});

test('a handler whose compare-and-set lost runs again until it wins', async () => {
  await Promise.all(Array.from({ length: 50 }, () => post('/cas', {})));
  await done('/cas');
  assert.equal(await read('turns'), 50);
});

test('a value ends with its ttl', async () => {
  await post('/set', { key: 'short', value: 1, ttl: '1ms' });
  await until('its end', async () => (await read('short')) === undefined);
  await post('/set', { key: 'long', value: 1, ttl: '1h' });
  assert.equal(await read('long'), 1);
});

test('what a dropped event noted is forgotten', async () => {
  await post('/dropped', {});
  assert.equal(await read('dropped'), undefined);
});

test('an event that keeps nothing is written with what it noted', async () => {
  await Promise.all(Array.from({ length: 20 }, () => post('/unkept', {})));
  await until('all to be counted', async () => (await read('unkept')) === 20);
});

test('values are there after kill -9, a restart and a reload', async () => {
  await post('/set', { key: 'kept', value: { list: [1, 2], big: 1 } });
  process.kill((await router.status()).pid, 'SIGKILL');
  await until('the router to answer', async () => (await router.get('/readyz').catch(() => null))?.status === 200);
  assert.deepEqual(await read('kept'), { list: [1, 2], big: 1 });
  await router.stop();
  await router.launch();
  assert.deepEqual(await read('kept'), { list: [1, 2], big: 1 });
  await router.write('x.lua', rules() + '-- another\n');
  assert.equal((await router.command('reload', '--wait')).code, 0);
  assert.deepEqual(await read('kept'), { list: [1, 2], big: 1 });
});

const numbers = (path) => target.received.filter((one) => one.url === path).map((one) => JSON.parse(one.body).n);

test('a delayed message goes out when its time has come, also after kill -9', async () => {
  const at = Date.now();
  const id = await post('/later', { delay: '2s' });
  const event = await router.eventIn(id, 'delivering');
  await until('what is due at once', () => numbers('/later').length === 1);
  assert.deepEqual(numbers('/later'), [1]);
  const dues = event.deliveries.slice(0, 2).map((delivery) => Date.parse(delivery.next_at) - at);
  assert.ok(dues[0] >= 2000 && dues[0] < 10000 && dues[1] >= 3590000, `${dues}`);
  process.kill((await router.status()).pid, 'SIGKILL');
  await until('the delayed one', () => numbers('/later').includes(2));
  assert.ok(target.received.find((one) => one.url === '/later' && JSON.parse(one.body).n === 2).at - at >= 1999);
  assert.equal((await router.event(id)).state, 'delivering', 'one is still to come');
});

test('a delayed message of an event that keeps nothing is written', async () => {
  const at = Date.now();
  await post('/later-unkept', {});
  await until('it to come', () => numbers('/later-unkept').length === 1);
  assert.ok(target.received.at(-1).at - at >= 299);
});

test('a task runs once with its data, like any event', async () => {
  await post('/task', { n: 1, list: [1, 2], after: '20ms' });
  await until('the note', () => numbers('/note').includes(1));
  assert.deepEqual(target.received.filter((one) => one.url === '/note').map((one) => JSON.parse(one.body)), [{ n: 1, list: [1, 2] }]);
  const [event] = await router.events('&route=task:note');
  assert.equal(event.route, 'task:note');
  await router.eventIn(event.id, 'done');
  await post('/task-dropped', {});
  await post('/chain', { n: 1 });
  await until('a task of a task', () => numbers('/note').includes(101));
  assert.ok(!numbers('/note').includes(9), 'a dropped event asks for nothing');
});

test('a task that fails is tried again and then dead, and can be replayed', async () => {
  await post('/flaky', {});
  const dead = await until('the dead one', async () => (await router.events('&route=task:flaky&state=dead'))[0]);
  const { failures } = await router.event(dead.id);
  assert.equal(failures.length, 3);
  await until('the good one', () => numbers('/flaky').length === 1);
  const answer = await router.get(`/v1/events/${dead.id}:replay`, 'POST');
  assert.equal(answer.status, 202, answer.body);
  await until('its replay', async () => (await router.events('&route=task:flaky&state=dead')).length === 2);
});

test('a task with an id is replaced while it waits, and cancelled by it', async () => {
  await post('/task', { n: 20, after: '1h', id: 'a' });
  await post('/task', { n: 21, after: '1h', id: 'b' });
  await post('/task', { n: 22, after: '10ms', id: 'a' });
  await until('the new one', () => numbers('/note').includes(22));
  await post('/task', { cancel: 'b' });
  assert.equal((await router.events('&route=task:note&state=waiting')).length, 0);
});

test('a task that waits outlives kill -9 and a restart', async () => {
  await post('/task', { n: 30, after: '3s' });
  await post('/task', { n: 31, after: '3s' });
  process.kill((await router.status()).pid, 'SIGKILL');
  await until('the router to answer', async () => (await router.get('/readyz').catch(() => null))?.status === 200);
  await router.stop();
  await router.launch();
  await until('both', () => numbers('/note').filter((n) => n === 30 || n === 31).length === 2);
  await until('nothing else to wait', async () => (await router.events('&route=task:note&state=waiting')).length === 0);
  assert.deepEqual(numbers('/note').filter((n) => n >= 30 && n < 40).sort(), [30, 31]);
});

const clock = (body) => `local a = target "a" { url = "${target.url}", private = true }\n${body}`;
const beat = 'task "beat" { every = "1s", handle = function(data) send(a, { path = "/beat", json = { none = data == nil } }) end }\n';

test('a task on a clock runs once for all workers, and what was missed once', async () => {
  const other = await Router.start({ 'x.lua': clock(beat) }, { flags: ['--workers', '4'] });
  const beats = () => target.received.filter((one) => one.url === '/beat').map((one) => one.at);
  const seconds = (from, to) => Math.floor(to / 1000) - Math.floor(from / 1000);
  try {
    const began = Date.now();
    await until('three beats', () => beats().length >= 3);
    assert.ok(beats().length <= seconds(began, Date.now()) + 1, `${beats().length} beats`);
    assert.ok(JSON.parse(target.received.find((one) => one.url === '/beat').body).none);
    await other.stop();
    const before = beats().length;
    const stopped = Date.now();
    await until('some to be missed', () => seconds(stopped, Date.now()) >= 3);
    const restarted = Date.now();
    await other.launch();
    await until('one more', () => beats().length > before);
    assert.ok(beats().length - before <= seconds(restarted, Date.now()) + 1, 'missed ones come once');
    const reloaded = beats().length;
    const since = Date.now();
    for (let i = 0; i < 5; i++) {
      await other.write('x.lua', clock(`${beat}-- ${i}\n`));
      assert.equal((await other.command('reload', '--wait')).code, 0);
    }
    await until('the next', () => beats().length > reloaded);
    assert.ok(beats().length - reloaded <= seconds(since, Date.now()) + 1, 'a reload brings none');
    await other.write('x.lua', clock('task "beat" { cron = "0 0 29 2 *", zone = "Europe/Berlin", handle = function() end }\n'));
    assert.equal((await other.command('reload', '--wait')).code, 0);
    const events = await other.events('&route=task:beat');
    const after = Date.now();
    await until('two seconds', () => Date.now() - after > 2000);
    assert.ok((await other.events('&route=task:beat')).length - events.length <= 1, 'the old clock stands still');
  } finally {
    await other.end();
  }
});

const piles = (team) => target.received.filter((one) => one.url === '/pile').map((one) => JSON.parse(one.body)).filter((one) => one.team === team);
const everyNumber = (team) => piles(team).flatMap((one) => one.numbers).sort((x, y) => x - y);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

test('a batch holds each item once, at most so many together', async () => {
  await Promise.all(upTo(23).map((n) => post('/pile', { team: 'a', n })));
  await post('/pile', { team: 'a', n: 99, drop: true });
  await post('/pile', { n: 7 });
  await until('all of them', () => everyNumber('a').length >= 23 && piles('none').length > 0);
  assert.deepEqual(everyNumber('a'), upTo(23));
  assert.deepEqual(piles('a').map((one) => one.numbers.length).sort(), [3, 5, 5, 5, 5]);
  assert.deepEqual(piles('none').map((one) => one.numbers), [[7]]);
});

test('a flush that fails is tried again with the same items', async () => {
  await Promise.all(upTo(3).map((n) => post('/pile', { team: 'flaky', n })));
  await until('a try to fail', async () => (await router.events('&route=batch:pile&type=flaky'))[0].reason === 'retry: not yet');
  await post('/set', { key: 'mended', value: true });
  await until('the next try', () => piles('flaky').length > 0);
  assert.deepEqual(everyNumber('flaky'), upTo(3));
});

test('a batch that collects outlives kill -9 and a restart', async () => {
  await post('/pile', { team: 'k', n: 0 });
  process.kill((await router.status()).pid, 'SIGKILL');
  await until('the router to answer', async () => (await router.get('/readyz').catch(() => null))?.status === 200);
  await post('/pile', { team: 'k', n: 1 });
  await router.stop();
  await router.launch();
  await post('/pile', { team: 'k', n: 2 });
  await until('all of them', () => everyNumber('k').length >= 3);
  await until('nothing else to wait', async () => (await router.events('&route=batch:pile&state=waiting')).length === 0);
  assert.deepEqual(everyNumber('k'), upTo(3));
});

test('a task that goes leaves its runs waiting, and a reload says so', async () => {
  const with_task = clock('local once = task "once" { handle = function(data) send(a, { path = "/once", json = data }) end }\n'
    + 'route "/once" { verify = verify.none "a test", handle = function(event) once:run_in("1s", event.body) end }\n');
  const other = await Router.start({ 'x.lua': with_task });
  try {
    assert.equal((await other.post('/once', '{"n":1}', { 'content-type': 'application/json' })).status, 202);
    await other.write('x.lua', clock('local b = batch "b" { every = "1h", flush = function() end }\n'));
    const gone = await other.command('reload', '--wait');
    assert.match(gone.stdout, /- task:once \(1 run waits for it until it returns\)/);
    assert.match(gone.stdout, /\+ batch:b/);
    await other.write('x.lua', with_task);
    assert.equal((await other.command('reload', '--wait')).code, 0);
    await until('it to run', () => numbers('/once').length === 1);
  } finally {
    await other.end();
  }
});
