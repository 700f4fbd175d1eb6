// metric.* of rules on /metrics: kinds, bounds whatever a sender puts into a label, kept by drops and errors.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, until } from './support.js';

let router;
before(async () => {
  const none = 'verify = verify.none "a test"';
  router = await Router.start({
    'a.lua': `route "/count" { ${none}, handle = function(event)
        metric.count("orders", nil, { source = event.body.source })
        metric.gauge("stock", event.body.n)
        metric.observe("amount", event.body.n, { big = event.body.n > 10 })
        drop "counted"
      end }
      route "/limit" { ${none}, handle = function(event)
        local labels = {}
        for i = 1, 8 do labels["l" .. i] = i end
        metric.count(("n"):rep(64), 0, labels)
      end }
      route "/fails" { ${none}, retry = { attempts = 1 }, handle = function(event) metric.count "tries_total" error "no" end }
      route "/told" { ${none}, retry = { attempts = 1 }, handle = function() error "no" end,
        on_error = function(event, why) metric.count("told", 1, { what = "error" }) end,
        on_dead = function(event, why) metric.count("told", 1, { what = "dead" }) end }
      route "/kinds" { ${none}, retry = { attempts = 1 }, handle = function(event) metric.gauge("orders_total", 1) end }
      route "/when" { ${none}, retry = { attempts = 1 }, when = function(event) metric.count "asked" return true end, handle = function() end }`,
  });
});
after(async () => router?.end());

const json = { 'content-type': 'application/json' };
const count = (source, n = 7) => router.post('/count', JSON.stringify({ source, n }), json);
const metrics = async () => (await router.get('/metrics')).body;
const value = (text, series) => Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length + 1));

test('numbers stay when the handler drops its event or fails, and workers add up', async () => {
  for (let i = 0; i < 20; i++) assert.equal((await count('shop')).status, 202);
  await count('shop', 20);
  await router.post('/fails', '{}');
  await router.post('/limit', '{}');
  const text = await until('all of them', async () => {
    const now = await metrics();
    return value(now, 'tidewire_user_orders_total{route="/count",source="shop"}') === 21 && /tries_total\{route="\/fails"\} 1\n/.test(now) && now;
  });
  assert.equal(value(text, 'tidewire_user_stock{route="/count"}'), 20);
  assert.equal(value(text, 'tidewire_user_amount_count{route="/count",big="false"}'), 20);
  assert.equal(value(text, 'tidewire_user_amount_bucket{route="/count",big="true",le="10"}'), 0);
  assert.equal(value(text, 'tidewire_user_amount_bucket{route="/count",big="true",le="25"}'), 1);
  await until('as many labels as may be', async () => /_user_n{64}_total\{route="\/limit",l1="1",.*l8="8"\} 0\n/.test(await metrics()));
  assert.match(text, /# TYPE tidewire_user_orders_total counter\n/);
});

test('what a sender writes into a label breaks no line, and is no endless list', async () => {
  const none = 'verify = verify.none "a test"';
  const one = await Router.start({ 'a.lua': `route "/count" { ${none}, handle = function(event)
      metric.count("orders", nil, { source = event.body.source })
    end }` }, { flags: ['--workers', '1'] }); // with two, the series of both are one list, and chance says which are folded
  try {
    const send = (source) => one.post('/count', JSON.stringify({ source }), json);
    await send('a"b\\c\nd} 7');
    await send(`x${'y'.repeat(500)}`);
    for (let i = 0; i < 250; i++) await send(`s${i}`);
    const text = await until('the folded ones', async () => {
      const now = (await one.get('/metrics')).body;
      return /tidewire_user_orders_total\{route="_other",source="_other"\} \d+\n/.test(now) && now;
    });
    assert.ok(text.includes('source="a\\"b\\\\c\\nd} 7"} 1\n'));
    assert.match(text, /source="xy{127}"\} 1\n/);
    const series = text.split('\n').filter((line) => line.startsWith('tidewire_user_orders_total{'));
    assert.ok(series.length <= 101, `${series.length} series`);
    await until('it is said', () => /labels of a metric folded.*orders_total/.test(one.output));
  } finally {
    await one.end();
  }
});

test('on_error and on_dead count too', async () => {
  await router.post('/told', '{}');
  await until('both', async () => {
    const now = await metrics();
    return ['error', 'dead'].every((what) => value(now, `tidewire_user_told_total{route="/told",what="${what}"}`) === 1);
  });
});

test('one name has one kind, and questions count nothing', async () => {
  const ended = async (route) => {
    const { id } = JSON.parse((await router.post(route, '{}')).body);
    return JSON.stringify(await router.eventIn(id, 'done', 'dead'));
  };
  await until('a worker that knows the name', async () => {
    await count('shop');
    return /metric\.gauge: 'orders_total' has another kind already/.test(await ended('/kinds'));
  });
  assert.match(await ended('/when'), /metric\.count\(\) works inside a handler/);
});
