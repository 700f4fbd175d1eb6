// /metrics of targets: what became of messages, how long it took, what waits, and breakers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Router, freePort, startTarget, until } from './support.js';

const names = ['ok', 'gone', 'flaky', 'away', 'rests', 'slow'];

describe('metrics of targets', () => {
  let target;
  let router;
  let flaky = 0;
  let rests = 503;
  before(async () => {
    target = await startTarget((request) => {
      switch (request.url) {
        case '/gone': return { status: 410 };
        case '/flaky': return { status: flaky++ < 2 ? 500 : 200 };
        case '/rests': return { status: rests };
        case '/slow': return { never: true };
        default: return { status: 200 };
      }
    });
    const away = await freePort();
    const url = (name) => (name === 'away' ? `http://127.0.0.1:${away}/` : `${target.url}/${name}`);
    const declare = (name) => `
      local t_${name} = target "${name}" {
        url = "${url(name)}", private = true, timeout = "${name === 'slow' ? '5m' : '5s'}",
        retry = { first = "10ms", max = "10ms", within = "1h"${name === 'away' ? ', attempts = 2' : ''} },
        breaker = ${name === 'rests' ? '{ open_after = 2, probe_every = "1h" }' : 'false'},
      }
      route "/${name}" { verify = verify.none "a test", handle = function(event) send(t_${name}, event) end }`;
    router = await Router.start({ 'a.lua': names.map(declare).join('\n') }, { flags: ['--workers', '2'] });
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  const series = async () => {
    const text = (await router.get('/metrics')).body.toString();
    const lines = text.split('\n').filter((line) => line.startsWith('tidewire_'));
    return new Map(lines.map((line) => line.match(/^tidewire_(.*) (\S+)$/).slice(1)).map(([name, value]) => [name, Number(value)]));
  };
  /** Sends n events and waits until each of these series has its value. */
  const becomes = async (name, n, wanted) => {
    for (let i = 0; i < n; i++) assert.equal((await router.post(`/${name}`, '{}')).status, 202);
    return until(`${name}: ${JSON.stringify(wanted)}`, async () => {
      const now = await series();
      return Object.entries(wanted).every(([key, value]) => now.get(key) === value) && now;
    });
  };

  test('are there from the load on, with zeros', async () => {
    const now = await series();
    for (const name of names) {
      for (const key of [
        `deliveries_total{target="${name}",state="delivered"}`, `deliveries_total{target="${name}",state="dead"}`,
        `delivery_attempts_total{target="${name}",code_class="5xx",error_type=""}`,
        `delivery_attempts_total{target="${name}",code_class="none",error_type="timeout"}`,
        `delivery_retries_total{target="${name}"}`, `delivery_attempt_duration_seconds_count{target="${name}"}`,
        `delivery_delay_seconds_bucket{target="${name}",le="+Inf"}`, `deliveries_in_flight{target="${name}"}`,
        `deliveries_waiting{target="${name}",state="waiting"}`, `deliveries_oldest_waiting_seconds{target="${name}"}`,
        `breaker_state{target="${name}",state="open"}`, `breaker_openings_total{target="${name}"}`,
      ]) assert.equal(now.get(key), 0, key);
      assert.equal(now.get(`breaker_state{target="${name}",state="closed"}`), 1);
    }
  });

  test('count ends, attempts and times over all workers', async () => {
    const ok = await becomes('ok', 8, { 'deliveries_total{target="ok",state="delivered"}': 8 });
    assert.equal(ok.get('delivery_attempts_total{target="ok",code_class="2xx",error_type=""}'), 8);
    assert.equal(ok.get('delivery_attempt_duration_seconds_bucket{target="ok",le="60"}'), 8);
    assert.equal(ok.get('delivery_delay_seconds_count{target="ok"}'), 8);
    await becomes('gone', 2, { 'deliveries_total{target="gone",state="dead"}': 2, 'delivery_retries_total{target="gone"}': 0,
      'delivery_attempts_total{target="gone",code_class="4xx",error_type=""}': 2, 'delivery_delay_seconds_count{target="gone"}': 0 });
    await becomes('flaky', 1, { 'deliveries_total{target="flaky",state="delivered"}': 1, 'delivery_retries_total{target="flaky"}': 2,
      'delivery_attempts_total{target="flaky",code_class="5xx",error_type=""}': 2 });
    await becomes('away', 1, { 'deliveries_total{target="away",state="dead"}': 1,
      'delivery_attempts_total{target="away",code_class="none",error_type="connect"}': 2 });
  });

  test('say what waits, since when, and what is under way', async () => {
    const now = await becomes('slow', 2, { 'deliveries_in_flight{target="slow"}': 2, 'deliveries_waiting{target="slow",state="waiting"}': 2 });
    const before = now.get('deliveries_oldest_waiting_seconds{target="slow"}');
    await until('it to grow older', async () => (await series()).get('deliveries_oldest_waiting_seconds{target="slow"}') > before);
  });

  test('stand beside those of rules and store', async () => {
    const now = await series();
    assert.ok(Math.abs(now.get('rules_last_reload_timestamp_seconds') - Date.now() / 1000) < 600);
    assert.ok(now.get('store_bytes') > 16384);
  });

  test('tell the state of a breaker, and how often it opened', async () => {
    const open = 'breaker_state{target="rests",state="open"}', closed = 'breaker_state{target="rests",state="closed"}';
    await becomes('rests', 6, { [open]: 1, [closed]: 0 });
    rests = 200;
    await router.write('b.lua', 'local new = target "new" { url = "https://new.example.com" }');
    assert.equal((await router.command('reload')).code, 0); // new rules probe at once
    const now = await becomes('rests', 0, { [open]: 0, [closed]: 1, 'deliveries_total{target="rests",state="delivered"}': 6,
      'deliveries_waiting{target="rests",state="waiting"}': 0, 'deliveries_total{target="new",state="delivered"}': 0 });
    const opened = now.get('breaker_openings_total{target="rests"}');
    assert.ok(opened >= 1 && opened <= 4, `${opened}: each worker has its own`);
  });
});
