// Standard Webhooks on both sides: signed by the scheme's own library coming in, verified by it going out.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Router, startTarget, until } from './support.js';

const IN = `whsec_${Buffer.from('a secret of at least 24 bytes in').toString('base64')}`;
const OUT = `whsec_${Buffer.from('a secret of at least 24 bytes out').toString('base64')}`;
const webhook = new Webhook(IN);

let target;
let router;

before(async () => {
  target = await startTarget();
  router = await Router.start({
    'app.lua': `
      local ledger = target "ledger" { url = "${target.url}/ledger", private = true, sign = sign.standard { secret = secret "OUT_SECRET" } }
      local mail = target "mail" { url = "${target.url}/mail", private = true, auth = auth.bearer(secret "MAIL_TOKEN") }
      route "/app" {
        from = provider.standard { secret = secret "IN_SECRET" },
        when = { type = { "invoice.*" } },
        handle = function(event)
          send(ledger, { json = { amount = event.body.data.amount, kind = event.type } })
          if event.type == "invoice.broken" then error("no such invoice") end
          send(mail, { json = { token = secret "MAIL_TOKEN", to = "ann@example.com" } })
        end,
      }`,
  }, { env: { IN_SECRET: IN, OUT_SECRET: OUT, MAIL_TOKEN: 'to"ken' } });
});

after(async () => {
  await router?.end();
  await target?.close();
});

function signed(body, { id = `msg_${randomUUID()}`, at = new Date(), with: signer = webhook } = {}) {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signer.sign(id, at, body),
  };
}

const paid = JSON.stringify({ type: 'invoice.paid', data: { amount: 1990 } });

test('both messages of a handler arrive, the ledger one signed as the scheme says', async () => {
  const answer = await router.post('/app', paid, signed(paid));
  assert.equal(answer.status, 202);
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done');
  assert.equal(event.deliveries.length, 2);
  const ledger = target.received.find((request) => request.url === '/ledger');
  assert.deepEqual(new Webhook(OUT).verify(ledger.body.toString(), ledger.headers), { amount: 1990, kind: 'invoice.paid' });
  assert.equal(ledger.headers['webhook-id'], ledger.headers['idempotency-key']);
  const mail = target.received.find((request) => request.url === '/mail');
  assert.equal(mail.headers.authorization, 'Bearer to"ken');
  assert.equal(JSON.parse(mail.body).token, 'to"ken');
});

test('a secret is on no screen and in no stored byte', async () => {
  const [event] = await router.events();
  const shown = JSON.stringify(await router.event(event.id));
  assert.ok(!shown.includes('to\\"ken') && !shown.includes('to"ken'));
  assert.ok(shown.includes('secret:MAIL_TOKEN'));
  assert.ok(!router.output.includes('to"ken') && !router.output.includes(IN.slice(6)));
  const { readFile } = await import('node:fs/promises');
  for (const name of ['tidewire.db', 'tidewire.db-wal']) {
    const bytes = await readFile(`${router.folder}/data/${name}`).catch(() => Buffer.alloc(0));
    assert.ok(!bytes.includes('to"ken') && !bytes.includes('to\\"ken'), name);
  }
});

test('what a handler sent before it raised does not leave', async () => {
  const before = target.received.length;
  const body = JSON.stringify({ type: 'invoice.broken', data: { amount: 1 } });
  const answer = await router.post('/app', body, signed(body));
  assert.equal(answer.status, 202);
  const event = await router.eventIn(answer.headers['tidewire-event-id'], 'waiting');
  assert.equal(event.attempt, 1);
  assert.match(event.reason, /app\.lua:\d+: no such invoice/);
  const marker = await router.post('/app', paid, signed(paid));
  await router.eventIn(marker.headers['tidewire-event-id'], 'done');
  assert.equal(target.received.length, before + 2);
});

test('what `when` does not want is answered as accepted and not stored', async () => {
  const count = (await router.events()).length;
  const body = JSON.stringify({ type: 'customer.created' });
  assert.equal((await router.post('/app', body, signed(body))).status, 202);
  assert.equal((await router.events()).length, count);
});

const minute = 60000;
const refused = {
  'a time six minutes ago': () => signed(paid, { at: new Date(Date.now() - 6 * minute) }),
  'a time six minutes ahead': () => signed(paid, { at: new Date(Date.now() + 6 * minute) }),
  'another secret': () => signed(paid, { with: new Webhook(OUT) }),
  'no id': () => { const h = signed(paid); delete h['webhook-id']; return h; },
  'no time': () => { const h = signed(paid); delete h['webhook-timestamp']; return h; },
  'no signature': () => { const h = signed(paid); delete h['webhook-signature']; return h; },
  'another id than was signed': () => ({ ...signed(paid), 'webhook-id': 'msg_other' }),
  'another time than was signed': () => ({ ...signed(paid), 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 7) }),
  'a version nobody knows': () => { const h = signed(paid); return { ...h, 'webhook-signature': h['webhook-signature'].replace('v1,', 'v9,') }; },
  'a doubled time': () => { const h = signed(paid); return { ...h, 'webhook-timestamp': [h['webhook-timestamp'], h['webhook-timestamp']] }; },
};

for (const [what, headers] of Object.entries(refused)) {
  test(`${what} is refused`, async () => {
    assert.equal((await router.post('/app', paid, headers())).status, 401);
  });
}

test('a list of signatures passes if one of them is right', async () => {
  const headers = signed(paid);
  headers['webhook-signature'] = `v1a,AAAA v1,${Buffer.alloc(32).toString('base64')} ${headers['webhook-signature']}`;
  assert.equal((await router.post('/app', paid, headers)).status, 202);
});

test('a time four minutes off passes', async () => {
  for (const off of [-4 * minute, 4 * minute]) {
    assert.equal((await router.post('/app', paid, signed(paid, { at: new Date(Date.now() + off) }))).status, 202);
  }
});
