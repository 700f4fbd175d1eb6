// on_error and on_dead: what a rule says of what failed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

const rules = (alerts, bad) => `
local alerts = target "alerts" { url = "${alerts}", private = true }
local bad = target "bad" { url = "${bad}", private = true, retry = { attempts = 2, first = "10ms" } }
local guard = verify.none "a test"

local function on_error(event, why)
  send(alerts, { json = { said = "error", id = event.id, name = event.body.name, attempt = event.attempt, why = why } })
end

local function on_dead(event, why, delivery)
  send(alerts, { json = { said = "dead", id = event.id, name = event.body.name, why = why, delivery = delivery } })
end

route "/try" {
  verify = guard, retry = { attempts = 2, first = "10ms" }, on_error = on_error, on_dead = on_dead,
  handle = function(event)
    send(alerts, { json = { said = "handled" } })
    if event.body.name ~= "good" then error "broken" end
  end,
}

route "/fail" { verify = guard, on_error = on_error, on_dead = on_dead, handle = function() fail "hopeless" end }

route "/answer" {
  verify = guard, ack = "handled", on_error = on_error, on_dead = on_dead,
  handle = function(event)
    if event.body.wait then sleep "30ms" end
    error "broken"
  end,
}

route "/asks" {
  verify = guard, retry = { attempts = 1 }, on_error = on_error, on_dead = on_dead,
  when = function(event) return event.body.deep.er end, handle = function() end,
}

route "/deliver" { verify = guard, keep = "1m", on_dead = on_dead, handle = function(event) send(bad, event) end }

route "/unwritten" {
  verify = guard, ack = "received", keep = false, dedupe = false, on_dead = on_dead,
  handle = function(event) send(bad, event) end,
}

route "/loop" {
  verify = guard, retry = { attempts = 1 }, on_error = on_error, on_dead = on_dead,
  handle = function() while true do end end,
}

route "/pattern" {
  verify = guard, retry = { attempts = 1 }, on_error = on_error, on_dead = on_dead,
  handle = function() return ("a"):rep(30000):find((".-"):rep(16) .. "b") end,
}

route "/itself" {
  verify = guard, retry = { attempts = 1 },
  on_error = function(event) send(alerts, { json = { said = "never" } }) local _ = event.body.gone.deeper end,
  on_dead  = function() sleep "1s" end,
  handle   = function() error "broken" end,
}

route "/keeps" {
  verify = guard, retry = { attempts = 2, first = "10ms" },
  on_error = function(event, why)
    local tries = kv.incr("tries:" .. event.body.name)
    metric.count("notices", 1, { tries = tries })
    log.warn("heard of it", { tries = tries })
  end,
  on_dead = function(event, why)
    if kv.add("dead:" .. event.body.name, event.id, { ttl = "1h" }) then
      send(alerts, { json = { said = "first", id = event.id, tries = kv.get("tries:" .. event.body.name) } })
    end
  end,
  handle = function() kv.set("forgotten", true) error "broken" end,
}

route "/keeps/dead" {
  verify = guard,
  on_dead = function(event, why, delivery)
    kv.set("last", delivery.target) kv.delete "before" kv.incr "dead"
    send(alerts, { json = { said = "kept", id = event.id } })
  end,
  handle = function(event) kv.set("before", 1) send(bad, event) end,
}

route "/once" {
  verify = guard,
  on_dead = function(event)
    if kv.add("alarm", event.id) then send(alerts, { json = { said = "once", id = event.id } }) end
  end,
  handle = function() fail "hopeless" end,
}

route "/kept" {
  verify = guard, ack = "handled",
  handle = function(event)
    local found = json.array {}
    for i, key in ipairs(event.body) do found[i] = kv.get(key) or false end
    respond(200, { json = found })
  end,
}

route "/loud" { -- the notices themselves die
  verify = guard, retry = { attempts = 1 },
  on_dead = function(event) send(bad, { json = { said = "to nobody" } }) end,
  handle  = function() error "broken" end,
}
`;

const post = (router, path, body) => router.post(path, JSON.stringify(body), { 'content-type': 'application/json' });
const idOf = (answer) => answer.headers['tidewire-event-id'];

describe('what failed', () => {
  let alerts;
  let bad;
  let router;
  before(async () => {
    alerts = await startTarget();
    bad = await startTarget(() => ({ status: 503 }));
    router = await Router.start({ 'a.lua': rules(alerts.url, bad.url) });
  });
  after(async () => {
    await router?.end();
    await alerts?.close();
    await bad?.close();
  });

  const heard = (id) => alerts.received.map((got) => JSON.parse(got.body)).filter((said) => said.id === id);
  const hears = (id, count) => until(`${count} notices of ${id}`, () => heard(id).length >= count && heard(id));

  async function dead(path, body) {
    const answer = await post(router, path, body);
    return router.eventIn(idOf(answer), 'dead');
  }

  test('is told to on_error after each try, and to on_dead once', async () => {
    const event = await dead('/try', { name: 'Ann' });
    const said = await hears(event.id, 3);
    assert.deepEqual(said.map((one) => one.said).sort(), ['dead', 'error', 'error']);
    assert.deepEqual(said.filter((one) => one.said === 'error').map((one) => one.attempt).sort(), [0, 1]);
    for (const one of said) {
      assert.equal(one.name, 'Ann');
      assert.match(one.why, /^error: rules\/a\.lua:18: broken/);
      assert.equal(one.delivery, undefined);
    }
    const shown = await until('their ends', async () => {
      const now = await router.event(event.id);
      return now.deliveries.every((delivery) => delivery.state === 'delivered') && now;
    });
    assert.equal(shown.deliveries.length, 3);
    assert.ok(shown.deliveries.every((delivery) => delivery.notice));
    assert.equal(shown.state, 'dead');
    assert.equal(alerts.received.filter((got) => JSON.parse(got.body).said === 'handled').length, 0);
  });

  test('is told of fail, of a failed question, and of one whose sender was answered 500', async () => {
    assert.match((await hears((await dead('/fail', { name: 'Bo' })).id, 2))[0].why, /hopeless/);
    assert.match((await hears((await dead('/asks', { name: 'Bo' })).id, 2))[0].why, /a\.lua:\d+: .*deep/);
    for (const wait of [false, true]) {
      const event = await dead('/answer', { name: 'Cy', wait });
      assert.deepEqual((await hears(event.id, 2)).map((one) => one.said).sort(), ['dead', 'error']);
    }
  });

  test('of a delivery is told to on_dead with the delivery, and commits with its end', async () => {
    for (const path of ['/deliver', '/unwritten']) {
      const answer = await post(router, path, { name: 'Di' });
      const [said] = await hears(idOf(answer), 1);
      assert.equal(said.why, 'no more tries (2): answered 503');
      assert.equal(said.name, 'Di');
      const event = await router.event(idOf(answer));
      const own = event.deliveries.find((delivery) => !delivery.notice);
      assert.deepEqual(said.delivery, { id: own.id, target: 'bad', attempts: 2, status: 503 });
      assert.equal(own.state, 'dead');
      assert.equal(event.state, 'dead');
      assert.equal(heard(event.id).length, 1);
    }
  });

  test('is told by a fresh state where the handler has cost one', async () => {
    for (const path of ['/loop', '/pattern']) {
      const event = await dead(path, { name: 'Ed' });
      const said = await hears(event.id, 2);
      assert.deepEqual(said.map((one) => one.said).sort(), ['dead', 'error']);
      assert.match(said[0].why, /^cpu: /);
      assert.equal(said[0].name, 'Ed');
    }
  });

  const kept = async (...keys) => JSON.parse((await post(router, '/kept', keys)).body);

  test('is counted and remembered in kv with what is sent of it', async () => {
    const event = await dead('/keeps', { name: 'Gil' });
    assert.deepEqual(await hears(event.id, 1), [{ said: 'first', id: event.id, tries: 2 }]);
    assert.deepEqual(await kept('tries:Gil', 'dead:Gil', 'forgotten'), [2, event.id, false]);
    const again = await dead('/keeps', { name: 'Gil' });
    assert.equal(again.deliveries.length, 0);
    assert.deepEqual(await kept('tries:Gil', 'dead:Gil'), [4, event.id]);
    assert.match((await router.get('/metrics')).body, /user_notices_total\{route="\/keeps",tries="4"\} 1\n/);
    assert.match(router.output, /heard of it/);
  });

  test('of a delivery changes kv in the commit of its end', async () => {
    const answer = await post(router, '/keeps/dead', { name: 'Hu' });
    await hears(idOf(answer), 1);
    assert.deepEqual(await kept('last', 'before', 'dead'), ['bad', false, 1]);
  });

  test('is told once by whoever wins a key, however many fail at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(router, '/once', {})));
    for (const answer of answers) await router.eventIn(idOf(answer), 'dead');
    const [winner] = await kept('alarm');
    assert.equal((await hears(winner, 1)).length, 1);
    const events = await Promise.all(answers.map((answer) => router.event(idOf(answer))));
    assert.deepEqual(events.filter((event) => event.deliveries.length > 0).map((event) => event.id), [winner]);
    assert.ok(events.every((event) => event.attempt === 1));
  });

  test('in on_error or on_dead itself is logged, and not told to anybody', async () => {
    const event = await dead('/itself', { name: 'Fy' });
    assert.equal(event.deliveries.length, 0);
    await until('both lines', () => (router.output.match(/notice failed/g) ?? []).length >= 2);
    assert.match(router.output, /field .gone./);
    assert.match(router.output, /sleep works inside a handler: here all is decided/);
    const loud = await dead('/loud', { name: 'Fy' });
    const shown = await until('the end of its notice', async () => {
      const now = await router.event(loud.id);
      return now.deliveries[0]?.state === 'dead' && now;
    });
    assert.equal(shown.deliveries.length, 1);
  });
});
