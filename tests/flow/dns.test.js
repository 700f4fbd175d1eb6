// A name server that does not answer holds up nobody but the targets with its names.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BINARY, Router, startTarget, until } from './support.js';

let target;
let router;

before(async () => {
  target = await startTarget();
  router = await Router.start({
    'dns.lua': `
      local quick = target "quick" { url = "${target.url}", private = true }
      local slow = {}
      for i = 1, 6 do
        slow[i] = target("slow" .. i) { url = "http://slow." .. i .. ".example.com/", timeout = "400ms",
          retry = { attempts = 2, first = "50ms", factor = 1 }, breaker = false }
      end
      route "/slow" { verify = verify.none "a test", handle = function(event) for i = 1, 6 do send(slow[i], event) end end }
      route "/quick" { verify = verify.none "a test", handle = function(event) send(quick, event) end }`,
  }, { env: { LD_PRELOAD: path.join(path.dirname(BINARY), 'tests', 'slow_dns.so'), ASAN_OPTIONS: 'verify_asan_link_order=0' } });
});

after(async () => {
  await router?.end();
  await target?.close();
});

test('while names are not resolved, other targets and all answers are as quick as ever', async () => {
  const ids = [];
  for (let i = 0; i < 20; i++) ids.push((await router.post('/slow', `s${i}`)).headers['tidewire-event-id']);
  let slowest = 0;
  for (let i = 0; i < 100; i++) {
    const before = performance.now();
    const answer = await router.post('/quick', `q${i}`);
    assert.equal(answer.status, 202);
    slowest = Math.max(slowest, performance.now() - before);
    await until('its delivery', () => target.received.some((one) => one.body.toString() === `q${i}`), 3000);
  }
  assert.ok(slowest < 1000, `the slowest answer took ${slowest} ms`);
  const event = await until('the last slow one to be given up', async () => {
    const now = await router.event(ids.at(-1));
    return now.deliveries.every((delivery) => delivery.state === 'dead') ? now : null;
  }, 60000);
  for (const delivery of event.deliveries) {
    assert.equal(delivery.tries.length, 2);
    assert.ok(['timeout', 'dns'].includes(delivery.tries[0].error_type), delivery.tries[0].error_type);
  }
});

test('a shutdown does not wait for the name server', async () => {
  await router.post('/slow', 'last');
  const before = performance.now();
  assert.deepEqual(await router.stop(), { code: 0, signal: null });
  assert.ok(performance.now() - before < 15000);
});
