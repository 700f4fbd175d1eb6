// What follows when a rule costs more than it may: limits, probation, verdicts after a fall, replacement, dead events and replay.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

const LONG = process.env.TIDEWIRE_LONG === 'yes';
const tsan = process.env.TIDEWIRE_PRESET === 'tsan' && 'only a jump ends these (design.md)';
const HEAD = 'local none = verify.none "test"\n';
const route = (name, body, more = '') => `${HEAD}route "/${name}" { verify = none, ${more} handle = function(event) ${body} end }\n`;
const json = { 'content-type': 'application/json' };

const problems = async (router) => (await router.status()).problems.map((problem) => problem.what);
const problemAbout = (router, words) =>
  until(`a problem about ${words}`, async () => (await problems(router)).find((what) => what.includes(words)));
const post = async (router, name, body = {}) => {
  const answer = await router.post(`/${name}`, JSON.stringify(body), json);
  assert.equal(answer.status, 202, answer.body);
  return answer.headers['tidewire-event-id'] ?? JSON.parse(answer.body).id;
};

/** Is it in the store that the only ward, a route, is on probation? The note's name and the numbers that its value begins with
 *  (probation_write), in the database or in its log: nothing else asks the store for it before the next start. */
const probationIsKept = async (router) => {
  const [version, wards, ofRoute, onProbation] = [1, 1, 0, 2];
  const begins = Buffer.concat([Buffer.from('probation'), Buffer.from(Uint32Array.of(version, wards, ofRoute, onProbation).buffer)]);
  const files = ['tidewire.db', 'tidewire.db-wal'].map((name) => readFile(path.join(router.folder, 'data', name)).catch(() => Buffer.alloc(0)));
  return (await Promise.all(files)).some((bytes) => bytes.includes(begins));
};

describe('limits', () => {
  let router;
  before(async () => {
    router = await Router.start({
      'a.lua': route('all', 'while true do local s = event.id .. "x" end', 'retry = { attempts = 1 },'),
      'b.lua': route('own', 'while true do local s = event.id .. "x" end', 'retry = { attempts = 1 }, limits = { handler_cpu = "60ms" },'),
      'c.lua': route('memory', 'local t = {} for i = 1, 1e6 do t[i] = ("x"):rep(1000) .. i end', 'retry = { attempts = 1 }, limits = { handler_memory = "2MiB" },'),
      'd.lua': route('waits', 'sleep "5s"', 'retry = { attempts = 1 }, limits = { handler_time = "50ms" },'),
      'e.lua': route('large', 'return 1'),
      'f.lua': route('late', 'for _ = 1, 1e9 do sleep "1ms" local s = "" for i = 1, 1e5 do s = event.id .. i end end',
        'retry = { attempts = 1 }, limits = { handler_cpu = "80ms" },'),
      '../tidewire.lua': 'limits { handler_cpu = "120ms", max_body = "100B" }\n',
    });
  });
  after(() => router.end());

  for (const [name, reason, words] of [
    ['late', 'cpu', 'more processor time than it may have: 80 ms (handler_cpu)'],
    ['all', 'cpu', 'more processor time than it may have: 120 ms (handler_cpu)'], ['own', 'cpu', 'more processor time than it may have: 60 ms (handler_cpu)'],
    ['memory', 'memory', 'more than handler_memory (2 MiB)'], ['waits', 'wait', 'longer than handler_time (50 ms)'],
  ]) {
    test(`${name}: ${words}`, { skip: tsan }, async () => {
      const event = await router.eventIn(await post(router, name), 'dead');
      assert.match(event.reason, new RegExp(`^${reason}: rules/.*\\.lua:\\d+: `));
      assert.ok(event.reason.includes(words) || event.reason.includes('does not come back'), event.reason);
      assert.equal(event.failures.length, 1);
      assert.equal(event.failures[0].reason, reason);
    });
  }

  test('max_body of tidewire.lua is every route’s', async () => {
    assert.equal((await router.post('/large', 'x'.repeat(100))).status, 202);
    assert.equal((await router.post('/large', 'x'.repeat(101))).status, 413);
  });

  test('metrics tell what each route has cost', { skip: tsan }, async () => {
    const answer = await router.get('/metrics');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/plain/);
    const value = (line) => Number(answer.body.split('\n').find((text) => text.startsWith(`tidewire_${line} `))?.split(' ').at(-1));
    assert.equal(value('handler_failures_total{route="/own",kind="cpu"}'), 1);
    assert.equal(value('handler_failures_total{route="/own",kind="crash"}'), 0);
    assert.equal(value('handler_duration_seconds_count{route="/large"}'), 1);
    assert.ok(value('handler_cpu_seconds_total{route="/all"}') > 0.1);
    assert.ok(value('handler_memory_peak_bytes{route="/memory"}') > 1e6);
    assert.ok(value('lua_memory_bytes{worker="0"}') > 1e5);
    for (const line of answer.body.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) |tidewire_\w+(\{.*\})? [\d.e+-]+$)/);
  });

  test('mistakes in tidewire.lua are found like those in rules', async () => {
    await router.write('../tidewire.lua', 'limits { handler_cpu = 200, handler_tim = "1s" }\nstore { url = "x" }\nlocal y = z\n');
    const answer = await router.command('reload');
    assert.equal(answer.code, 3);
    for (const words of ['tidewire.lua:1: limits: handler_cpu = 200 needs a unit', "has no option 'handler_tim'", "did you mean 'handler_time'?",
      "tidewire.lua:2: 'store' comes with a later version", "tidewire.lua:3: there is no name 'z' here"])
      assert.ok(answer.stdout.includes(words), `${words}\n${answer.stdout}`);
    await router.write('../tidewire.lua', 'limits { handler_memory = "200MiB" }\n');
    assert.match((await router.command('reload')).stdout, /more than half of state_memory/);
    await router.write('../tidewire.lua', '');
    assert.equal((await router.command('reload')).code, 0);
    assert.equal((await router.post('/large', 'x'.repeat(101))).status, 202);
  });
});

test('what a handler that waits has let go keeps nobody from running', async () => {
  const garbage = 'local n = 0 for i = 1, 9 do n = n + #(tostring(i) .. "x"):rep(400000) end sleep "15s"';
  const router = await Router.start({ 'a.lua': route('a', garbage), 'z.lua': route('z', 'return 1'),
    '../tidewire.lua': 'limits { state_memory = "16MiB", handler_memory = "8MiB" }\n' });
  try {
    for (let n = 0; n < 6; n++) await post(router, 'a');
    const ids = [];
    for (let n = 0; n < 6; n++) ids.push(await post(router, 'z'));
    for (const id of ids) await until('it to run', async () => (await router.event(id)).state === 'done', 8000);
  } finally {
    await router.end();
  }
});

test('handlers that wait, however many, keep no retry of another route back', async () => {
  const router = await Router.start({ 'a.lua': route('a', 'sleep "25s"'),
    'z.lua': route('z', 'if event.attempt < 2 then error "first" end', 'retry = { first = "500ms", factor = 1, max = "500ms" },') });
  try {
    const sleepers = Array.from({ length: 2500 }, (_, n) => n);
    await Promise.all(Array.from({ length: 40 }, async () => { while (sleepers.pop()) await post(router, 'a'); }));
    for (const id of [await post(router, 'z'), await post(router, 'z'), await post(router, 'z')])
      await until('it to be done', async () => (await router.event(id)).state === 'done', 8000);
  } finally {
    await router.end();
  }
});

test('an event whose handler waits is run by nobody else, however soon the store is looked at', async () => {
  const router = await Router.start({ 'a.lua': route('a', 'log.info("try") sleep "200ms"'),
    'looks.lua': route('looks', 'error "x"', 'retry = { attempts = 1000, first = "10ms", factor = 1, max = "10ms" },') });
  try {
    for (let n = 0; n < 40; n++) await post(router, 'looks');
    const left = Array.from({ length: 3000 }, (_, n) => n);
    await Promise.all(Array.from({ length: 60 }, async () => { while (left.pop()) await post(router, 'a'); }));
    const ran = () => router.said.match(/"text":"try","event_id":"[0-9a-f-]{36}/g) ?? [];
    await until('all to be done', async () => (await router.events('&route=/a&state=waiting')).length === 0);
    assert.equal(ran().length, new Set(ran()).size, 'once each');
  } finally {
    await router.end();
  }
});

describe('probation', { skip: tsan }, () => {
  let router, target;
  before(async () => {
    target = await startTarget();
    router = await Router.start({
      'in.lua': `${HEAD}local t = target "t" { url = "${target.url}", private = true }
route "/in" { verify = none, retry = { attempts = 2 }, handle = function(event)
  if event.body.bad then local n = 0 while true do n = n + 1 end end
  send(t, { json = { n = event.body.n } })
end }\n`,
      'when.lua': `${HEAD}route "/when" { verify = none, when = function(event) while event.body.bad do end return event.body.n > 1 end,
  handle = function(event) end }\n`,
      'ok.lua': route('ok', 'return 1'),
    });
  });
  after(async () => {
    await router.end();
    await target.close();
  });

  test('three different events that cost too much put their route on it; it is stored first and paced', async () => {
    const bad = [await post(router, 'in', { bad: true }), await post(router, 'in', { bad: true })];
    assert.ok(!(await problems(router)).some((what) => what.includes('probation')), 'two are not three');
    bad.push(await post(router, 'in', { bad: true }));
    await problemAbout(router, 'route /in is on probation (cpu)');
    assert.match((await router.command('status')).stdout, /route \/in is on probation/);
    const began = Date.now();
    const good = await Promise.all([1, 2, 3].map((n) => post(router, 'in', { n })));
    assert.ok(Date.now() - began < 1000, 'answered before they run');
    for (const id of good) await router.eventIn(id, 'done');
    assert.ok(Date.now() - began >= 1900, 'one a second');
    for (const id of bad) {
      const event = await router.event(id);
      assert.match(event.reason, /^cpu: rules\/in\.lua:\d+: /);
      assert.ok(Date.parse(event.next_at) - Date.parse(event.failures[0].at) >= 10000, 'a slow retry');
    }
    assert.equal((await router.status()).restarts, 0);
  });

  test('others are not slowed down by it', async () => {
    await post(router, 'in', { bad: true });
    for (let n = 0; n < 20; n++) {
      const began = Date.now();
      await router.eventIn(await post(router, 'ok'), 'done');
      assert.ok(Date.now() - began < 500);
    }
  });

  test('it is kept over a fall', async () => {
    const { pid } = await router.status();
    await until('the store to know', () => probationIsKept(router));
    process.kill(pid, 'SIGKILL');
    await until('the next server', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; });
    await problemAbout(router, 'route /in is on probation (cpu)');
  });

  test('a changed file ends it, an unchanged one does not', async () => {
    await router.write('ok.lua', route('ok', 'return 2'));
    assert.equal((await router.command('reload')).code, 0);
    await problemAbout(router, 'route /in is on probation');
    await router.write('in.lua', route('in', 'return event.body.n'));
    assert.equal((await router.command('reload')).code, 0);
    await until('probation to be over', async () => !(await problems(router)).some((what) => what.includes('probation')));
  });

  test('handlers that waited in the former rules do not put the mended ones on it', async () => {
    await router.write('late.lua', route('late', 'sleep "1500ms" while true do local s = event.id .. "x" end', 'retry = { attempts = 1 },'));
    assert.equal((await router.command('reload')).code, 0);
    const late = [];
    for (let n = 0; n < 5; n++) late.push(await post(router, 'late'));
    await router.write('late.lua', route('late', 'return 1'));
    assert.equal((await router.command('reload')).code, 0);
    for (const id of late) await router.eventIn(id, 'dead', 'done');
    assert.deepEqual(await problems(router), []);
  });

  test('a `when` that costs too much is asked after the commit, and its answer still holds', async () => {
    for (let n = 0; n < 3; n++) await post(router, 'when', { bad: true, n: 2 });
    await problemAbout(router, 'route /when is on probation (cpu)');
    const unwanted = await post(router, 'when', { n: 1 }), wanted = await post(router, 'when', { n: 2 });
    assert.match((await router.eventIn(unwanted, 'dropped')).reason, /when/);
    await router.eventIn(wanted, 'done');
    const bad = await post(router, 'when', { bad: true, n: 2 });
    const failed = await until('it to be tried', async () => { const event = await router.event(bad); return event.attempt > 0 && event; });
    const [, took] = failed.reason.match(/(?:ended after|may have:) (\d+) ms/);
    assert.ok(took < 100, `with the budget of a probation: ${failed.reason}`);
  });

  test('limits that are raised in tidewire.lua end it, too', async () => {
    await problemAbout(router, 'route /when is on probation (cpu)');
    await router.write('../tidewire.lua', 'limits { handler_cpu = "300ms" }\n');
    assert.equal((await router.command('reload')).code, 0);
    await until('probation to be over', async () => (await problems(router)).length === 0);
  });
});

test('a `success` that costs too much is charged by events: the retries of one message are one', { skip: tsan }, async () => {
  const target = await startTarget();
  const router = await Router.start({ 'in.lua': `${HEAD}local t = target "t" { url = "${target.url}", private = true,
  retry = { first = "1ms", factor = 1, max = "1ms" }, success = function(answer) while true do end end }
route "/in" { verify = none, handle = function(event) send(t, { json = {} }) end }\n` });
  const isOn = async () => (await problems(router)).some((what) => what.includes('target t'));
  try {
    await post(router, 'in');
    await until('it to be sent more than three times', () => target.received.length > 4);
    assert.ok(!(await isOn()), 'one event');
    for (let n = 0; n < 2; n++) await post(router, 'in');
    await until('a problem about the target', isOn);
  } finally {
    await router.end();
    await target.close();
  }
});

test('ten good runs in a row end a probation', { skip: tsan }, async () => {
  const router = await Router.start({ 'in.lua': route('in', 'while event.body.bad do end') });
  try {
    for (let n = 0; n < 3; n++) await post(router, 'in', { bad: true });
    await problemAbout(router, 'on probation');
    const good = [];
    for (let n = 0; n < 10; n++) good.push(await post(router, 'in', {}));
    for (const id of good) await until('it to be done', async () => (await router.event(id)).state === 'done', 40000);
    await until('probation to be over', async () => (await problems(router)).length === 0);
    const began = Date.now();
    for (let n = 0; n < 5; n++) await router.eventIn(await post(router, 'in', {}), 'done');
    assert.ok(Date.now() - began < 3000, 'at once again');
  } finally {
    await router.end();
  }
});

describe('verdicts after a fall', { skip: process.env.TIDEWIRE_PRESET === 'tsan' && 'a fault ends the run of a sanitizer' }, () => {
  let router;
  const asan = process.env.TIDEWIRE_PRESET === 'asan';
  before(async () => {
    router = await Router.start({
      'crash.lua': `${HEAD}route "/crash" { verify = none, retry = { attempts = 2 }, handle = function(event)
  if event.body.way then crash(event.body.way) end
end }\n`,
      'waits.lua': route('waits', 'sleep "300ms" if event.body.way then crash(event.body.way) end'),
      'other.lua': route('other', 'sleep "2s"'),
      'success.lua': `${HEAD}local t = target "judged" { url = "http://127.0.0.1:1/", private = true }\nroute "/none" { verify = none, handle = function(event) end }\n`,
    }, { env: asan ? { ASAN_OPTIONS: 'handle_segv=0:handle_abort=0:allow_user_segv_handler=1' } : {} });
  });
  after(() => router.end());

  /** Posts something that ends the server, and waits for the next one. */
  const fall = async (name, body) => {
    const { pid } = await router.status();
    const answer = await router.post(`/${name}`, JSON.stringify(body), json).catch((error) => error);
    await until('the next server', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; }, 40000);
    return answer;
  };

  test('an event that is nowhere: its route runs store first, and nobody else is blamed', async () => {
    const other = await post(router, 'other');
    const answer = await fall('crash', { way: 'segv' });
    assert.ok(answer instanceof Error, 'nobody was answered');
    await problemAbout(router, 'route /crash stores its events before it runs them, because the server fell in it (crash)');
    assert.match(router.said, /"msg":"server died in a rule","signal":"SIGSEGV".*"route":"\/crash","event_id":"[0-9a-f-]{36}","generation":1/);
    assert.equal(router.said.match(/server died in a rule/g).length, 1, 'one line');
    assert.equal((await router.eventIn(other, 'done')).failures.length, 0, 'the handler that waited is not to blame');
  });

  test('the next time the event is there to be charged', async () => {
    const answer = await fall('crash', { way: 'abort' });
    assert.equal(answer.status, 202, 'answered before it ran');
    const event = await router.event(JSON.parse(answer.body).id);
    assert.equal(event.state, 'waiting');
    assert.match(event.reason, /^crash: rules\/crash\.lua:2: the server ended by SIGABRT while this ran/);
    assert.ok(Date.parse(event.next_at) - Date.now() > 5000, 'a slow retry');
    await router.eventIn(await post(router, 'crash'), 'done');
  });

  test('a stored event whose handler had waited is charged too', async () => {
    const answer = await fall('waits', { way: 'segv' });
    assert.equal(answer.status, 202);
    assert.match((await router.event(JSON.parse(answer.body).id)).reason, /^crash: /);
    assert.ok(!(await problems(router)).some((what) => what.includes('/waits')));
  });

  test('a kill from outside blames nobody, whatever runs', async () => {
    const before = (router.said.match(/server died in a rule/g) ?? []).length;
    const id = await post(router, 'other');
    const { pid } = await router.status();
    process.kill(pid, 'SIGKILL');
    await until('the next server', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; });
    assert.equal((await router.eventIn(id, 'done')).failures.length, 0);
    assert.equal((router.said.match(/server died in a rule/g) ?? []).length, before);
  });

  test('a changed file makes the route run at once again', async () => {
    await router.write('crash.lua', route('crash', 'return 1'));
    assert.equal((await router.command('reload')).code, 0);
    await until('nothing wrong', async () => (await problems(router)).length === 0);
  });
});

test('three falls of one route put it on probation, though the server forgets all in between', { skip: process.env.TIDEWIRE_PRESET === 'tsan' && 'a fault ends the run of a sanitizer' }, async () => {
  const asan = process.env.TIDEWIRE_PRESET === 'asan';
  const router = await Router.start({ 'a.lua': route('a', 'sleep "20ms" if event.body.bad then crash "segv" end') },
    { env: asan ? { ASAN_OPTIONS: 'handle_segv=0:handle_abort=0:allow_user_segv_handler=1' } : {} });
  try {
    for (let n = 0; n < 3; n++) {
      const { pid } = await router.status();
      await post(router, 'a', { bad: true });
      await until('the next server', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; }, 40000);
    }
    await problemAbout(router, 'route /a is on probation (crash)');
  } finally {
    await router.end();
  }
});

test('a loop that stands still in a C function is ended by the supervisor, and charged', { skip: (!LONG && 'takes 10 s') || tsan }, async () => {
  const router = await Router.start({ 'a.lua': route('a', 'sleep "1ms" crash "hang"') });
  try {
    const { pid } = await router.status();
    const id = await post(router, 'a');
    await until('the next server', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; }, 40000);
    assert.match((await router.event(id)).reason, /^crash: rules\/a\.lua:2: the server ended by SIGABRT, its loop stood still while this ran/);
    assert.match(router.said, /"msg":"loop stands still"/);
  } finally {
    await router.end();
  }
});

test('after 200 abandoned states a fresh server takes over, and nothing is lost', { skip: tsan }, async () => {
  // three of each route: the fourth would wait on probation
  const names = Array.from({ length: 70 }, (_, n) => `r${n}`);
  const rules = names.map((name) => `route "/${name}" { verify = none, retry = { attempts = 1 }, handle = function(event) local s = ("x"):rep(9e8) end }`);
  const router = await Router.start({ 'many.lua': `${HEAD}${rules.join('\n')}\n`, 'ok.lua': route('ok', 'sleep "20ms"') });
  try {
    const { pid } = await router.status();
    const ids = [], failed = [];
    let over = false;
    const clients = Array.from({ length: 4 }, async () => { // each request a connection of its own: none may be refused
      while (!over) {
        const answer = await router.post('/ok', '{}', json).catch((error) => ({ status: error.message }));
        if (answer.status !== 202) failed.push(answer.status);
      }
    });
    const sent = async (name) => {
      const answer = await router.post(`/${name}`, '{}', json).catch(() => null);
      if (answer?.status === 202) ids.push(JSON.parse(answer.body).id);
    };
    for (const name of names) {
      for (let n = 0; n < 3; n++) await sent(name);
      await sent('ok');
    }
    await until('a planned replacement', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; });
    over = true;
    await Promise.all(clients);
    assert.deepEqual(failed, []);
    assert.match(router.said, /"msg":"planned replacement"/);
    assert.match(router.said, /"msg":"server ended","code":75/);
    for (const id of ids) {
      const event = await router.eventIn(id, 'dead', 'done');
      assert.ok(event.state === 'done' || event.reason.startsWith('memory: '), event.reason);
    }
    assert.ok(ids.length > 250);
  } finally {
    await router.end();
  }
});

test('a planned replacement lets what is under way end, however long the drain', { skip: (!LONG && 'takes 15 s') || tsan }, async () => {
  const target = await startTarget(() => ({ delayMs: 12500 }));
  const names = Array.from({ length: 90 }, (_, n) => `r${n}`);
  const rules = names.map((name) => `route "/${name}" { verify = none, retry = { attempts = 1 }, handle = function(event) local s = ("x"):rep(9e8) end }`);
  const router = await Router.start({ 'many.lua': `${HEAD}${rules.join('\n')}\n`,
    'ok.lua': `${HEAD}local t = target "t" { url = "${target.url}", private = true }\nroute "/ok" { verify = none, handle = function(event) send(t, { json = {} }) end }\n` },
  { flags: ['--drain', '20s'] });
  try {
    const { pid } = await router.status();
    for (let n = 0; n < 3 && !router.said.includes('"planned replacement"'); n++)
      for (const name of names) await router.post(n === 2 && name === 'r15' ? '/ok' : `/${name}`, '{}', json).catch(() => null);
    await until('a planned replacement', () => router.said.includes('"planned replacement"'));
    await until('the next server', async () => { const status = await router.status().catch(() => null); return status?.ready && status.pid !== pid; }, 30000);
    assert.doesNotMatch(router.said, /loop stands still/);
    assert.match(router.said, /"msg":"server ended","code":75/);
    assert.equal(target.received.length, 1, 'sent once');
  } finally {
    await router.end();
    await target.close();
  }
});

test('a server that is stopped while it is being replaced ends well', { skip: tsan }, async () => {
  const target = await startTarget(() => ({ never: true }));
  const names = Array.from({ length: 90 }, (_, n) => `r${n}`);
  const rules = names.map((name) => `route "/${name}" { verify = none, retry = { attempts = 1 }, handle = function(event) local s = ("x"):rep(9e8) end }`);
  const router = await Router.start({ 'many.lua': `${HEAD}${rules.join('\n')}\n`,
    'ok.lua': `${HEAD}local t = target "t" { url = "${target.url}", private = true }\nroute "/ok" { verify = none, handle = function(event) send(t, { json = {} }) end }\n` },
  { flags: ['--drain', '2s'] });
  try {
    const sending = (async () => {
      for (let n = 0; n < 3 && !router.said.includes('"planned replacement"'); n++)
        for (const name of names) {
          await router.post(`/${name}`, '{}', json).catch(() => null);
          if (n === 2) await router.post('/ok', '{}', json).catch(() => null);
        }
    })();
    await until('a planned replacement', () => router.said.includes('"planned replacement"'));
    assert.deepEqual(await router.stop(), { code: 0, signal: null });
    await sending;
  } finally {
    await router.end();
    await target.close();
  }
});

describe('the end', () => {
  test('replays and questions of the last moment find an end, not memory that is gone', async () => {
    for (let round = 0; round < 3; round++) {
      const router = await Router.start({ 'a.lua': route('a', 'return 1') });
      try {
        const id = await post(router, 'a');
        const asked = Array.from({ length: 150 }, (_, n) => (n % 5 ? router.get(`/v1/events/${id}:replay`, 'POST') : router.get('/v1/status')).catch(() => null));
        await new Promise((resolve) => setTimeout(resolve, 10 + 15 * round));
        assert.deepEqual(await router.stop(), { code: 0, signal: null });
        await Promise.all(asked);
      } finally {
        await router.end();
      }
    }
  });

  test('handlers that still wait when the drain is over run again at the next start, uncounted', async () => {
    const router = await Router.start({ 'a.lua': route('a', 'sleep "15s"'), 'ok.lua': route('ok', 'return 1') }, { flags: ['--drain', '300ms'] });
    try {
      const id = await post(router, 'a');
      const socket = net.connect(router.port, '127.0.0.1').on('error', () => {});
      socket.write('POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf');
      await post(router, 'ok');
      assert.deepEqual(await router.stop(), { code: 0, signal: null });
      assert.doesNotMatch(router.said, /drain cut off/);
      await router.write('a.lua', route('a', 'return 1'));
      await router.launch();
      assert.equal((await router.eventIn(id, 'done')).failures.length, 0);
    } finally {
      await router.end();
    }
  });
});

describe('dead events', () => {
  let router, target;
  const broken = (target) => `${HEAD}local t = target "t" { url = "${target}", private = true }
route "/in" { verify = none, retry = { attempts = 3, first = "10ms", factor = 1, max = "10ms" }, handle = function(event)
  send(t, { json = { n = event.body.missing.n } })
end }\n`;
  before(async () => {
    target = await startTarget();
    router = await Router.start({ 'in.lua': broken(target.url), 'other.lua': route('other', 'return 1') });
  });
  after(async () => {
    await router.end();
    await target.close();
  });

  test('are dead with all their errors, and are run again by the rules of now', async () => {
    const id = await post(router, 'in', { n: 7 });
    const dead = await router.eventIn(id, 'dead');
    assert.deepEqual(dead.failures.map((failure) => failure.n), [3, 2, 1]);
    for (const failure of dead.failures) assert.match(failure.detail, /^rules\/in\.lua:4: /);
    assert.match((await router.command('events', 'show', id)).stdout, /try 3 .* generation 1 {2}error: rules\/in\.lua:4: /);
    assert.match((await router.command('events', '--state', 'dead')).stdout, new RegExp(id));

    await router.write('in.lua', broken(target.url).replace('event.body.missing.n', 'event.body.n'));
    const reload = await router.command('reload');
    assert.equal(reload.code, 0);
    assert.match(reload.stdout, /1 dead event.* tidewire replay --route \/in --state dead/);

    const replay = await router.command('replay', '--route', '/in', '--state', 'dead');
    assert.equal(replay.code, 0, replay.stderr);
    const made = replay.stdout.match(/replayed as ([0-9a-f-]{36})/)[1];
    const done = await router.eventIn(made, 'done');
    assert.equal(done.replay_of, id);
    assert.equal((await router.event(id)).replayed_as, made);
    assert.deepEqual(target.received.map((request) => JSON.parse(request.body)), [{ n: 7 }]);
    assert.match((await router.command('replay', '--route', '/in')).stdout, /^0 events/, 'not twice');
  });

  test('replay by id, of what waits, and of what is not there', async () => {
    await router.write('in.lua', broken(target.url).replace('10ms", factor = 1, max = "10ms"', '1h"'));
    assert.equal((await router.command('reload')).code, 0);
    const id = await post(router, 'in', { n: 8 });
    assert.match((await router.event(id)).reason, /^error: /);
    await router.write('in.lua', broken(target.url).replace('event.body.missing.n', 'event.body.n'));
    assert.match((await router.command('reload')).stdout, /1 waiting event/);
    const replay = await router.command('replay', id);
    assert.match(replay.stdout, /runs now/);
    await router.eventIn(id, 'done');
    assert.equal((await router.command('replay', '01963f0e-6d1c-7abc-8def-0123456789ab')).code, 5);
    assert.equal((await router.command('replay')).code, 2);
    const again = await router.command('replay', id);
    assert.match(again.stdout, /replayed as/, 'a done one runs again too');
  });

  test('diff says what a reload would change, and changes nothing', async () => {
    const { generation } = await router.status();
    await router.write('other.lua', route('new', 'return 1'));
    const diff = await router.command('diff');
    assert.equal(diff.code, 0);
    assert.match(diff.stdout, /\+ route \/new/);
    assert.match(diff.stdout, /- route \/other/);
    assert.equal((await router.status()).generation, generation);
    await router.write('other.lua', 'route "/x" {');
    const bad = await router.command('diff');
    assert.equal(bad.code, 3);
    assert.match(bad.stdout, /rules\/other\.lua:1: /);
    assert.ok(!(await problems(router)).some((what) => what.includes('mistakes')), 'a look is no reload');
  });
});
