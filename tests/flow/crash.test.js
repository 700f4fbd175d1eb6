// Killed at any moment, nothing that was answered is lost.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { LONG, Router, startTarget, until } from './support.js';

const ROUNDS = LONG ? 50 : 10;

const rule = (url) => `
local t = target "t" { url = "${url}", private = true, retry = { first = "50ms", factor = 1 } }
route "/in" {
  verify = verify.none "a test",
  dedupe = "headers.x-id",
  handle = function(event) send(t, event) end,
}`;

/** Posts numbered events until told to stop; `answered` holds the ids that got a 202. */
function startLoad(router, answered, name) {
  let stopped = false;
  let n = 0;
  const lanes = Array.from({ length: 8 }, async () => {
    while (!stopped) {
      const id = `${name}-${n++}`;
      const answer = await router.post('/in', id, { 'x-id': id, 'content-type': 'text/plain' }).catch(() => null);
      if (answer?.status === 202) answered.add(id);
    }
  });
  return async () => {
    stopped = true;
    await Promise.all(lanes);
  };
}

function isGone(pid) {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

const serverPid = async (router) => (await router.status()).pid;

test(`${ROUNDS} kills of server and supervisor under load lose nothing that was answered`, async () => {
  const target = await startTarget((_, n) => ({ status: n % 20 === 0 ? 503 : 200 }));
  const router = await Router.start({ 'in.lua': rule(target.url) });
  const answered = new Set();
  for (let round = 0; round < ROUNDS; round++) {
    const stop = startLoad(router, answered, `r${round}`);
    const before = answered.size;
    const enough = 20 + Math.floor(Math.random() * 200);
    await until('some answers', () => answered.size - before >= enough);
    if (round % 3 === 2) {
      router.process.kill('SIGKILL');
      await router.ended;
      await stop();
      await router.launch();
    } else {
      const pid = await serverPid(router);
      process.kill(pid, 'SIGKILL');
      await until('a new server', async () => {
        const status = await router.status().catch(() => null);
        return status && status.pid !== pid;
      });
      await stop();
    }
  }
  await until('everything answered to be delivered', () => {
    const got = new Set(target.received.map((one) => one.body.toString()));
    return [...answered].every((id) => got.has(id));
  }, 60000);
  const times = new Map();
  for (const one of target.received) {
    const key = one.body.toString();
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  assert.ok([...times.values()].every((count) => count <= 3 + ROUNDS), 'duplicates are bounded');
  await router.end();
  await target.close();
});

test('SIGTERM finishes what is in flight and leaves with 0', async () => {
  const target = await startTarget(() => ({ status: 200, delayMs: 300 }));
  const router = await Router.start({ 'in.lua': rule(target.url) });
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => router.post('/in', `t${i}`, { 'x-id': `t${i}` })));
  assert.ok(answers.every((answer) => answer.status === 202));
  assert.deepEqual(await router.stop(), { code: 0, signal: null });
  assert.equal(new Set(target.received.map((one) => one.body.toString())).size, 8); // one worker may have them all, with half of the target's concurrency
  await router.launch();
  assert.ok((await router.events()).every((event) => event.state === 'done'));
  await router.end();
  await target.close();
});

test('what a dead target is owed survives a restart and arrives when it is back', async () => {
  const target = await startTarget();
  const { port } = target;
  const router = await Router.start({ 'in.lua': rule(target.url) });
  await target.close();
  for (let i = 0; i < 50; i++) assert.equal((await router.post('/in', `d${i}`, { 'x-id': `d${i}` })).status, 202);
  await router.stop('SIGKILL');
  await router.launch();
  const back = await startTarget(() => ({ status: 200 }), port);
  await until('all fifty', () => new Set(back.received.map((one) => one.body.toString())).size === 50, 60000);
  await router.end();
  await back.close();
});

test('a repetition after a crash is still a duplicate', async () => {
  const target = await startTarget();
  const router = await Router.start({ 'in.lua': rule(target.url) });
  const first = await router.post('/in', 'x', { 'x-id': 'same' });
  await router.stop('SIGKILL');
  await router.launch();
  const second = await router.post('/in', 'x', { 'x-id': 'same' });
  assert.equal(second.headers['tidewire-duplicate'], 'true');
  assert.equal(second.headers['tidewire-event-id'], first.headers['tidewire-event-id']);
  await router.end();
  await target.close();
});

test('a connection made while the server is away is answered by the next one', async () => {
  const target = await startTarget();
  const router = await Router.start({ 'in.lua': rule(target.url) });
  router.agent = false; // a fresh connection each time
  for (let i = 0; i < 3; i++) {
    const pid = await serverPid(router);
    process.kill(pid, 'SIGKILL');
    await until('the server to be gone', () => isGone(pid)); // an open connection would be reset with it
    const answer = await router.post('/in', `away${i}`, { 'x-id': `away${i}` });
    assert.equal(answer.status, 202);
    await until('the new server', async () => router.status().catch(() => null));
  }
  await router.end();
  await target.close();
});

test('a start right after the kill takes over what the kernel still cleans up', async () => {
  const router = await Router.start({ 'in.lua': 'route "/in" { verify = verify.none "a test", handle = function(event) end }' });
  try {
    for (let round = 0; round < 5; round++) {
      const pid = await serverPid(router);
      process.kill(router.process.pid, 'SIGKILL');
      process.kill(pid, 'SIGKILL');
      await router.launch(); // nobody has waited for their end
      assert.notEqual(await serverPid(router), pid);
    }
  } finally {
    await router.end();
  }
});

test('a second router on the same store says which process has it', async () => {
  const router = await Router.start({ 'in.lua': rule('http://127.0.0.1:1') });
  const { command, freePort } = await import('./support.js');
  const second = await command(['run', router.folder, '--listen', `127.0.0.1:${await freePort()}`, '--admin', 'off'], { env: router.env });
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(String(await serverPid(router))));
  const taken = await command(['run', router.folder, '--listen', `127.0.0.1:${router.port}`, '--admin', 'off'], { env: router.env });
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(`${router.port}.*taken|taken.*${router.port}`));
  await router.end();
});

test('the log holds one JSON record per line', async () => {
  const target = await startTarget();
  const router = await Router.start({ 'in.lua': rule(target.url) });
  await router.post('/in', 'x', { 'x-id': 'line' });
  await router.post('/nothing\nFORGED', 'x').catch(() => null);
  await router.post('/nothing', 'x');
  await until('the lines', () => router.output.includes('"delivered"') && router.output.includes('no_route'));
  await router.stop();
  const lines = router.output.split('\n').filter((line) => line.startsWith('{'));
  assert.ok(lines.length >= 3);
  for (const line of lines) {
    const record = JSON.parse(line);
    assert.ok(record.time && record.level && record.msg);
  }
  assert.ok(await readFile(`${router.folder}/data/tidewire.db`));
  await router.end();
  await target.close();
});
