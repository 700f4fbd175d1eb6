// What a sender is told by its handler: ack = "handled", respond, and what happens when that is late, fails, or is cut off.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

const rules = (url) => `
local t = target "t" { url = "${url}", private = true }
local guard = verify.none "a test"
local busy = { status = 200, json = { text = "Still working on it." } }

route "/say/:how" {
  verify = guard, ack = "handled", ack_within = "10s", reply = busy, dedupe = "headers.x-key",
  handle = function(event)
    local how = event.params.how
    send(t, { text = "sent before the end: " .. how })
    if how == "json" then
      respond(200, { json = { text = event.body.name, list = json.array {} }, headers = { ["X-Seen"] = "yes" } })
    elseif how == "later" then
      sleep "50ms"
      respond(201, { text = "slept" })
    elseif how == "no" then
      respond(422, { body = "<no>", content_type = "text/html" })
    elseif how == "late-no" then
      sleep "50ms"
      respond(409)
    elseif how == "empty" then
      pcall(respond, 204)
      error "pcall has seen respond"
    elseif how == "fail" then
      fail "not today"
    elseif how == "retry" then
      retry "later"
    elseif how == "error" then
      error "broken"
    elseif how == "late-error" then
      sleep "50ms"
      error "broken"
    elseif how == "drop" then
      drop "nobody wants it"
    elseif how == "line" then
      respond(200, { text = "x", headers = { ["X-A"] = "a\\r\\nX-B: c" } })
    elseif how == "limit" then
      respond(200, { text = ("x"):rep(2 ^ 20) })
    elseif how == "past" then
      respond(200, { text = ("x"):rep(2 ^ 20 + 1) })
    end
  end,
}

route "/slow" {
  verify = guard, ack = "handled", ack_within = "200ms", reply = busy, dedupe = "headers.x-key",
  handle = function(event)
    sleep "700ms"
    send(t, { text = "slow one" })
    respond(200, { text = "too late" })
  end,
}

route "/slow-error" {
  verify = guard, ack = "handled", ack_within = "100ms", retry = { attempts = 2, first = "1s" },
  handle = function(event)
    if event.attempt > 0 then
      send(t, { text = "second try" })
      return
    end
    sleep "300ms"
    error "broken"
  end,
}

route "/held" {
  verify = guard, ack = "handled", ack_within = "30s", dedupe = "headers.x-key",
  handle = function(event)
    sleep(event.body.wait)
    send(t, { text = "held" })
    respond(200, { text = "held long" })
  end,
}

route "/asks" {
  verify = guard, ack = "handled",
  when   = function(event) return event.body.broken.deep end,
  handle = function() respond(200, { text = "never" }) end,
}

route "/lost" {
  verify = guard, ack = "handled", ack_within = "8s",
  handle = function()
    local _ = (("a"):rep(2 ^ 20)):find(("a-"):rep(20) .. "b")
  end,
}
`;

const post = (router, path, body = '{"name":"Ann"}', headers = {}) =>
  router.post(path, body, { 'content-type': 'application/json', ...headers });
const idOf = (answer) => answer.headers['tidewire-event-id'];

describe('a handler answers its sender', () => {
  let target;
  let router;
  before(async () => {
    target = await startTarget();
    router = await Router.start({ 'a.lua': rules(target.url) });
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  test('with what respond says, and its messages go out', async () => {
    const answer = await post(router, '/say/json');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"list":[],"text":"Ann"}');
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['x-seen'], 'yes');
    const event = await router.eventIn(idOf(answer), 'done');
    assert.equal(event.deliveries.length, 1);
  });

  test('after a wait, too', async () => {
    const answer = await post(router, '/say/later');
    assert.equal(answer.status, 201);
    assert.equal(answer.body, 'slept');
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal((await router.eventIn(idOf(answer), 'done')).deliveries.length, 1);
  });

  test('without a word the static reply is sent', async () => {
    const answer = await post(router, '/say/nothing');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"text":"Still working on it."}');
    await router.eventIn(idOf(answer), 'done');
    const dropped = await post(router, '/say/drop');
    assert.equal(dropped.body, '{"text":"Still working on it."}');
    assert.equal((await router.eventIn(idOf(dropped), 'dropped')).deliveries.length, 0);
  });

  test('respond ends the handler, and no pcall sees it', async () => {
    const answer = await post(router, '/say/empty');
    assert.equal(answer.status, 204);
    assert.equal(answer.body, '');
    assert.equal((await router.eventIn(idOf(answer), 'done')).deliveries.length, 1);
  });

  for (const how of ['error', 'late-error', 'fail', 'retry', 'line', 'past']) {
    test(`that fails (${how}) answers 500 with the event id, is dead at once and claims no key`, async () => {
      for (let i = 0; i < 2; i++) {
        const answer = await post(router, `/say/${how}`, '{"name":"Ann"}', { 'x-key': `fails-${how}` });
        assert.equal(answer.status, 500);
        assert.ok(idOf(answer));
        assert.match(JSON.parse(answer.body).detail, new RegExp(`event ${idOf(answer)} failed`));
        assert.equal(answer.headers['tidewire-duplicate'], undefined);
        const event = await router.event(idOf(answer));
        assert.equal(event.state, 'dead');
        assert.equal(event.attempt, 1);
        assert.equal(event.deliveries.length, 0);
      }
    });
  }

  test('an answer of 1 MiB passes, and headers with line ends do not', async () => {
    assert.equal((await post(router, '/say/limit')).body.length, 2 ** 20);
    assert.equal((await post(router, '/say/line')).headers['x-b'], undefined);
  });

  test('a key is claimed by an answer of 2xx only', async () => {
    for (const [how, status, claims] of [['json', 200, true], ['later', 201, true], ['no', 422, false], ['late-no', 409, false]]) {
      const first = await post(router, `/say/${how}`, '{"name":"Ann"}', { 'x-key': `claims-${how}` });
      const second = await post(router, `/say/${how}`, '{"name":"Ann"}', { 'x-key': `claims-${how}` });
      assert.equal(first.status, status);
      assert.equal(second.headers['tidewire-duplicate'], claims ? 'true' : undefined);
      assert.equal(idOf(second) === idOf(first), claims);
      assert.equal(second.status, claims ? 200 : status);
      if (claims) assert.equal(second.body, '{"text":"Still working on it."}'); // what respond said is not repeated
      assert.equal((await router.eventIn(idOf(first), 'done')).deliveries.length, 1);
    }
  });

  test('a repetition waits for the end of the first one', async () => {
    const key = { 'x-key': 'both' };
    const [first, second] = await Promise.all([post(router, '/say/later', '{}', key), post(router, '/say/later', '{}', key)]);
    assert.equal(idOf(first), idOf(second));
    assert.deepEqual([first.status, second.status].sort(), [200, 201]);
    const failing = { 'x-key': 'both fail' };
    const answers = await Promise.all([post(router, '/say/late-error', '{}', failing), post(router, '/say/late-error', '{}', failing)]);
    assert.notEqual(idOf(answers[0]), idOf(answers[1]));
    assert.deepEqual(answers.map((answer) => answer.status), [500, 500]);
  });

  test('past ack_within the static reply is sent, the event goes on, and a later respond is logged', async () => {
    const key = { 'x-key': 'slow' };
    const started = Date.now();
    const answer = await post(router, '/slow', '{}', key);
    assert.ok(Date.now() - started < 650, 'before the handler ended');
    assert.equal(answer.body, '{"text":"Still working on it."}');
    const again = await post(router, '/slow', '{}', key);
    assert.equal(again.headers['tidewire-duplicate'], 'true');
    assert.equal((await router.eventIn(idOf(answer), 'done')).deliveries.length, 1);
    await until('the log line', () => router.output.includes('nobody waits for it any more'));
  });

  test('past ack_within a failure is a try like any other', async () => {
    const answer = await post(router, '/slow-error', '{}');
    assert.equal(answer.status, 202);
    const event = await router.eventIn(idOf(answer), 'done');
    assert.equal(event.attempt, 2);
    assert.equal(event.deliveries.length, 1);
  });

  test('a failed question answers 500 too', async () => {
    const answer = await post(router, '/asks', '{}');
    assert.equal(answer.status, 500);
    assert.equal((await router.event(idOf(answer))).state, 'dead');
  });

  test('a client that is gone meanwhile takes nothing with it', async () => {
    const body = '{"wait":"300ms"}';
    const socket = net.connect(router.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /held HTTP/1.1\r\nHost: x\r\nX-Key: gone\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const [row] = await until('the event', async () => {
      const rows = (await router.events()).filter((event) => event.route === '/held');
      return rows.length ? rows : null;
    });
    socket.resetAndDestroy();
    assert.equal((await router.eventIn(row.id, 'done')).deliveries.length, 1);
    const again = await post(router, '/held', body, { 'x-key': 'gone' });
    assert.equal(idOf(again), row.id);
    assert.equal(again.headers['tidewire-duplicate'], 'true');
  });

  test('a handler that is lost with its state runs again, and its sender gets that answer', async () => {
    const held = [1, 2, 3, 4].map(() => post(router, '/held', '{"wait":"3s"}')); // of both workers, as it happens
    await until('the events', async () =>
      (await router.events('&state=waiting')).filter((event) => event.route === '/held').length === 4);
    const lost = await Promise.all([post(router, '/lost', '{}'), post(router, '/lost', '{}')]);
    assert.deepEqual(lost.map((answer) => answer.status), [500, 500]);
    for (const answer of await Promise.all(held)) {
      assert.equal(answer.body, 'held long');
      const event = await router.eventIn(idOf(answer), 'done');
      assert.equal(event.attempt, 1);
      assert.equal(event.deliveries.length, 1);
    }
    assert.match(router.output, /lua state replaced/);
  });

  test('on probation it is stored first, and its sender waits for the run all the same', async () => {
    assert.equal((await post(router, '/lost', '{}')).status, 500); // the third one
    await until('probation', () => router.output.includes('on probation'));
    const answer = await post(router, '/lost', '{}');
    assert.equal(answer.status, 500);
    assert.equal((await router.event(idOf(answer))).state, 'dead');
  });

  test('a reload meanwhile changes nothing for who waits', async () => {
    const answer = post(router, '/held', '{"wait":"3s"}');
    await until('the event', async () => (await router.events('&state=waiting')).some((event) => event.route === '/held'));
    await router.write('a.lua', rules(target.url).replace('held long', 'by other rules'));
    assert.equal((await router.command('reload')).code, 0);
    assert.equal((await answer).body, 'held long');
    assert.equal((await post(router, '/held', '{"wait":"1ms"}')).body, 'by other rules');
  });
});

describe('the end of a router', () => {
  test('lets handlers end and answer within the drain', async () => {
    const target = await startTarget();
    const router = await Router.start({ 'a.lua': rules(target.url) });
    const answer = post(router, '/held', '{"wait":"500ms"}');
    await until('the event', async () => (await router.events()).length === 1);
    const stopped = router.stop();
    assert.equal((await answer).body, 'held long');
    await stopped;
    await router.end();
    await target.close();
  });

  test('answers with the static reply what does not end in time, and runs it again', async () => {
    const target = await startTarget();
    const router = await Router.start({ 'a.lua': rules(target.url) }, { flags: ['--drain', '1s'] });
    const answer = post(router, '/held', '{"wait":"4s"}', { 'x-key': 'drained' });
    await until('the event', async () => (await router.events()).length === 1);
    await router.stop();
    assert.equal((await answer).status, 202);
    await router.launch();
    const event = await router.eventIn(idOf(await answer), 'done');
    assert.equal(event.deliveries.length, 1);
    await router.end();
    await target.close();
  });

  test('by kill -9 loses no event that waits, and its key is kept', async () => {
    const target = await startTarget();
    const router = await Router.start({ 'a.lua': rules(target.url) });
    const key = { 'x-key': 'killed' };
    const cut = post(router, '/held', '{"wait":"1s"}', key).catch(() => null);
    const id = await until('the event', async () => (await router.events())[0]?.id);
    await router.stop('SIGKILL');
    await until('the server to be gone', async () => (await router.get('/healthz').catch(() => null)) === null);
    assert.equal(await cut, null);
    await router.launch();
    const again = await post(router, '/held', '{"wait":"1s"}', key);
    assert.equal(again.headers['tidewire-duplicate'], 'true');
    assert.equal(idOf(again), id);
    assert.equal((await router.eventIn(id, 'done')).deliveries.length, 1);
    await router.end();
    await target.close();
  });
});
