// Each script of hostile/ in the real router: it costs its event, and nothing else. One router for all of them, loaded again for
// each: whatever one leaves behind, the next ones and the healthy rule beside them meet. All of them with TIDEWIRE_LONG=yes, else
// one of each class; TIDEWIRE_HOSTILE=TEXT: those whose name has this text.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Lines, ended, healthyRules, hostileScripts, outcomeOf, someOfEach } from './hostile.js';
import { LONG, Router, startTarget, until } from './support.js';

const WORKERS = 2;
const END_MS = 20000;
const SHORT = ['callback_sort', 'cfunction_find', 'error_table', 'lookup_pcall', 'loop_pcall', 'memory_doubling', 'question_when_loop', 'result_header_crlf', 'stack_gsub'];

const preset = process.env.TIDEWIRE_PRESET;
const ANSWER_MS = preset === 'tsan' ? 20000 : 3000; // over ten times the budget: the machine may have much else to do
const only = process.env.TIDEWIRE_HOSTILE;
const every = hostileScripts();
const chosen = only ? every.filter((script) => script.name.includes(only)) : LONG ? every : someOfEach(every, 1, SHORT);

/** Under a sanitizer everything takes so long that the time may be over first. */
function expected(script) {
  return ['asan', 'tsan'].includes(preset) && !script.expect.includes('cpu') ? [...script.expect, 'cpu'] : script.expect;
}

/** ThreadSanitizer delivers no signal inside code that it does not know: what only a jump can end does not end there. */
function needsJump(script) {
  return preset === 'tsan' && !['error', 'result'].includes(script.class);
}

describe('a hostile rule', () => {
  let target;
  let router;
  let lines;
  let born;
  let sent = 0;
  const delivered = new Set();

  before(async () => {
    target = await startTarget((got) => {
      try {
        delivered.add(JSON.parse(got.body).n);
      } catch {
        // a hostile rule's message
      }
      return { status: 200 };
    });
    router = await Router.start(healthyRules(target.url), { flags: ['--workers', String(WORKERS), '--no-watch'] });
    lines = new Lines(router.port, WORKERS);
    born = await router.status();
  });
  after(async () => {
    lines?.close();
    await router?.end();
    await target?.close();
  });

  async function healthy(worker) {
    const n = ++sent;
    const answer = await lines.healthy(worker, n);
    assert.equal(answer.status, 202, answer.body);
    await until(`healthy event ${n} to be delivered`, () => delivered.has(n));
  }

  async function hostile(script, worker) {
    const start = Date.now();
    const answer = await lines.hostile(worker, '/hostile', { n: 0, data: {} });
    assert.equal(answer.status, 202, answer.body);
    assert.ok(Date.now() - start < ANSWER_MS, `answered after ${Date.now() - start} ms`);
    const event = await ended(router, answer.headers['tidewire-event-id'], END_MS);
    const outcome = outcomeOf(event);
    assert.ok(expected(script).includes(outcome), `expected ${expected(script)}, got ${outcome}: ${event.reason}`);
    if (outcome === 'error' && script.where) assert.match(event.reason, /rules\/hostile\.lua:\d+: /);
    if (outcome === 'error' && script.says) assert.ok(event.reason.includes(script.says), event.reason);
    if (outcome !== 'done') assert.equal(event.deliveries.length, 0);
  }

  chosen.forEach((script, i) => {
    test(`${script.name}: costs its event only`, { skip: needsJump(script) }, async () => {
      await router.write('hostile.lua', script.text);
      const reload = await router.command('reload');
      assert.equal(reload.code, 0, reload.stdout + reload.stderr);
      const worker = i % WORKERS;
      for (let n = 0; n < script.events; n++) {
        await healthy(worker);
        await hostile(script, worker);
      }
      for (let other = 0; other < WORKERS; other++) await healthy((worker + other) % WORKERS);
      const last = born;
      born = await router.status(); // one that ends the server fails alone
      assert.deepEqual([born.pid, born.restarts], [last.pid, last.restarts], router.output.slice(-2000));
    });
  });
});
