// What a mistake at run time is told, as the documents print it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router } from './support.js';

let router;
before(async () => {
  router = await Router.start({
    'stripe.lua': `${'\n'.repeat(20)}route "/stripe" { verify = verify.none "a test", retry = { attempts = 1 }, handle = function(event)
      local invoice = event.body.data.object.lines
      log.info(invoice)
    end }`,
  });
});
after(async () => router?.end());

test('a field of nothing is explained with what there is', async () => {
  const answer = await router.post('/stripe', '{"data":{"id":1,"kind":2,"payload":3}}', { 'content-type': 'application/json' });
  const event = await router.eventIn(JSON.parse(answer.body).id, 'dead');
  assert.ok(JSON.stringify(event).includes(JSON.stringify([
    "rules/stripe.lua:22: attempt to index field 'object' (a nil value)",
    '   22 │ local invoice = event.body.data.object.lines',
    "      │ body.data has: id, kind, payload        (no 'object')",
    '      │ event:get("body.data.object.lines") gives nil instead of failing',
  ].join('\n')).slice(1, -1)), JSON.stringify(event));
});
