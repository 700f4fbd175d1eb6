// Every provider: what its own library signs is accepted, anything altered is refused for the reason that is counted.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { verify as verifyGithub } from '@octokit/webhooks-methods';
import { LinearWebhookClient } from '@linear/sdk/webhooks';
import { verifyWebhookSignature } from '@notionhq/client';
import { Paddle } from '@paddle/paddle-node-sdk';
import { verifyKey } from 'discord-interactions';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { ENV, genuine, OTHER, PRIVATE, PUBLIC, providers, rules, SITE, TEXT, WHSEC } from './providers.js';
import { command, request, Router, startTarget } from './support.js';

const require = createRequire(import.meta.url);
const twilio = require('twilio');
const { EventWebhook } = require('@sendgrid/eventwebhook');
const { Signature } = require('@hubspot/api-client/lib/src/utils/signature.js');

const HOUR = 3600000;

let router;

before(async () => {
  router = await Router.start({ 'all.lua': rules }, { env: ENV });
});

after(() => router?.end());

const post = (made) => router.post(made.path, made.body, made.headers);

/** How often a route refused, by reason. */
async function refusals(route) {
  const sum = {};
  for (const worker of (await router.status()).workers) {
    for (const counts of worker.requests.filter((entry) => entry.route === route)) {
      for (const [reason, count] of Object.entries(counts.refused)) sum[reason] = (sum[reason] ?? 0) + count;
    }
  }
  return sum;
}

/** One byte of the middle of a text is another letter or digit. */
function altered(text) {
  const at = text.slice(Math.floor(text.length / 2)).search(/\w/) + Math.floor(text.length / 2);
  return text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1);
}

const without = (headers, name) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
const WRONG = ['signature'];

/** Each [what, request, reasons that may be counted]: all of them have to be refused. */
async function mutations(name) {
  const provider = providers[name];
  const list = [['another secret', await genuine(name, { secret: provider.wrong ?? OTHER }), WRONG]];
  if (provider.timed) {
    list.push(['an old time', await genuine(name, { at: new Date(Date.now() - HOUR) }), ['stale']]);
    list.push(['a time ahead', await genuine(name, { at: new Date(Date.now() + HOUR) }), ['stale']]);
  }
  const good = await genuine(name);
  if (!provider.unsigned) list.push(['another body', { ...good, body: altered(good.body) }, WRONG]);
  for (const header of good.signed) {
    const value = good.headers[header];
    list.push([`no ${header}`, { ...good, headers: without(good.headers, header) }, WRONG]);
    list.push([`an empty ${header}`, { ...good, headers: { ...good.headers, [header]: '' } }, WRONG]);
    list.push([`two of ${header}`, { ...good, headers: { ...good.headers, [header]: [value, value] } }, WRONG]);
    list.push([`another ${header}`, { ...good, headers: { ...good.headers, [header]: altered(value) } }, WRONG.concat('stale')]);
    list.push([`something behind ${header}`, { ...good, headers: { ...good.headers, [header]: `${value}00` } }, WRONG.concat('stale')]);
  }
  return list;
}

describe('what a provider signs', () => {
  for (const [name, provider] of Object.entries(providers)) {
    test(`${name}: is taken, and known again`, async () => {
      const made = await genuine(name);
      const answer = await post(made);
      const [status, body] = provider.reply ?? [202];
      assert.equal(answer.status, status, answer.body);
      if (body !== undefined) assert.equal(answer.body, body);
      const event = await router.event(answer.headers['tidewire-event-id']);
      assert.equal(event.provider, provider.name ?? name);
      assert.equal(event.verified, provider.verified ?? provider.name ?? name);
      assert.equal(event.type ?? undefined, provider.type);
      const again = await post(made);
      assert.equal(again.status, status);
      assert.equal(again.headers['tidewire-duplicate'], provider.once ? undefined : 'true');
    });
  }
});

describe('what is altered', () => {
  for (const name of Object.keys(providers)) {
    test(`${name}: is refused`, async () => {
      let before = await refusals(`/${name}`);
      for (const [what, made, reasons] of await mutations(name)) {
        const answer = await post(made);
        assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.body}`);
        const now = await refusals(`/${name}`);
        const counted = Object.keys(now).filter((reason) => now[reason] !== (before[reason] ?? 0));
        assert.equal(counted.length, 1, `${what}: ${counted}`);
        assert.ok(reasons.includes(counted[0]), `${what}: counted as ${counted[0]}`);
        before = now;
      }
    });
  }
});

describe('providers with rules of their own', () => {
  test('gitlab: with two secrets both are demanded', async () => {
    const one = await Router.start({
      'a.lua': `route "/gitlab" { from = provider.gitlab { secret = secret "TEXT", signing_secret = secret "WHSEC" },
        handle = function() end }`,
    }, { env: ENV });
    const signed = await genuine('gitlab_signed');
    const tokenOnly = await genuine('gitlab');
    const send = (headers, body) => one.post('/gitlab', body, headers);
    assert.equal((await send(signed.headers, signed.body)).status, 401);
    assert.equal((await send(tokenOnly.headers, tokenOnly.body)).status, 401);
    assert.equal((await send({ ...signed.headers, 'x-gitlab-token': OTHER }, signed.body)).status, 401);
    assert.equal((await send({ ...signed.headers, 'x-gitlab-token': TEXT }, signed.body)).status, 202);
    await one.end();
  });

  test('mailgun: a token counts once, under any other payload and whatever `dedupe` says', async () => {
    const one = await Router.start({
      'a.lua': 'route "/m" { from = provider.mailgun { secret = secret "TEXT" }, dedupe = false, handle = function() end }',
    }, { env: ENV });
    const { body, headers } = await genuine('mailgun');
    const other = body.replace('"event":"delivered"', '"event":"opened"');
    assert.notEqual(other, body);
    const first = await one.post('/m', body, headers);
    const second = await one.post('/m', other, headers);
    assert.equal(second.headers['tidewire-duplicate'], 'true');
    assert.equal(second.headers['tidewire-event-id'], first.headers['tidewire-event-id']);
    const parts = JSON.parse(body);
    for (const field of ['timestamp', 'token', 'signature']) {
      for (const value of [undefined, '', altered(parts.signature[field])]) {
        const changed = JSON.stringify({ ...parts, signature: { ...parts.signature, [field]: value } });
        assert.equal((await one.post('/m', changed, headers)).status, 401, `${field} ${value}`);
      }
    }
    await one.end();
  });

  test('hubspot: v1 and v2 take JSON to its last byte only, and no other version than the one named', async () => {
    const body = '[{"eventId":1}] and more';
    const headers = {
      'content-type': 'text/plain', 'x-hubspot-signature': Signature.getSignature('POST', 'v1', { clientSecret: TEXT, requestBody: body }),
    };
    assert.equal((await router.post('/hubspot_v1', body, headers)).status, 401);
    const weaker = await genuine('hubspot_v1');
    assert.equal((await router.post('/hubspot', weaker.body, weaker.headers)).status, 401);
  });

  test('an id that the signature does not cover does not make a replay new', async () => {
    for (const [name, header] of [['github', 'x-github-delivery'], ['shopify', 'x-shopify-webhook-id'], ['linear', 'linear-delivery']]) {
      const made = await genuine(name);
      const first = await post(made);
      const second = await post({ ...made, headers: { ...made.headers, [header]: 'another' } });
      assert.equal(second.headers['tidewire-duplicate'], 'true', name);
      assert.equal(second.headers['tidewire-event-id'], first.headers['tidewire-event-id']);
    }
  });

  test('dropbox: equal bodies are different events', async () => {
    const made = await genuine('dropbox');
    const [one, two] = [await post(made), await post(made)];
    assert.notEqual(one.headers['tidewire-event-id'], two.headers['tidewire-event-id']);
  });

  test('those that send lists: with `each` every item is an event with a type and an id of its own', async () => {
    const lists = {
      sendgrid: [JSON.stringify([{ event: 'open', sg_event_id: '1' }, { event: 'click', sg_event_id: '2' },
        { event: 'open', sg_event_id: '1' }]), ['click', 'open']],
      hubspot: [JSON.stringify(['contact.creation', 'deal.creation', 'contact.creation'].map((subscriptionType, n) => (
        { eventId: n % 2, subscriptionId: 1, objectId: 1, occurredAt: 1, subscriptionType }))), ['contact.creation', 'deal.creation']],
      okta: [JSON.stringify({ eventType: 'com.okta.event_hook', eventId: '1', data: { events: [
        { uuid: '1', eventType: 'user.lifecycle.create' }, { uuid: '2', eventType: 'user.session.start' },
        { uuid: '1', eventType: 'user.lifecycle.create' }] } }), ['user.lifecycle.create', 'user.session.start']],
      meta: [JSON.stringify({ object: 'page', entry: [{ id: '1', changes: [{ field: 'feed' }] }, { id: '1', messaging: [{}] }] }),
        ['feed', 'messaging']],
      dropbox: [JSON.stringify({ list_folder: { accounts: ['dbid:1', 'dbid:2'] } }), [undefined, undefined]],
      cloudevents: [JSON.stringify([['a', '1'], ['b', '1'], ['a', '1'], ['c', '2']].map(([type, id]) => (
        { specversion: '1.0', type, source: `/${type}`, id }))), ['a', 'b', 'c'], 'application/cloudevents-batch+json'],
    };
    const one = await Router.start({
      'a.lua': Object.keys(lists).map((name) =>
        `route "/${name}" { from = provider.${name} { ${providers[name].options} }, each = true, handle = function() end }`).join('\n'),
    }, { env: ENV });
    for (const [name, [body, types, contentType = 'application/json']] of Object.entries(lists)) {
      const provider = providers[name];
      const made = await provider.sign(body, { secret: provider.secret ?? TEXT, at: new Date(), path: `/${name}` });
      const answer = await one.post(`/${name}`, body, { 'content-type': contentType, ...made });
      assert.ok(answer.status < 300, answer.body);
      const events = await one.events(`&route=${encodeURIComponent(`/${name}`)}`);
      assert.deepEqual(events.map((event) => event.type ?? undefined).sort(), types, name);
    }
    await one.end();
  });

  test('gitlab: the id that is signed tells repetitions, whatever the other one says', async () => {
    const made = await genuine('gitlab_signed');
    const first = await post(made);
    const second = await post({ ...made, headers: { ...made.headers, 'idempotency-key': 'another' } });
    assert.equal(second.headers['tidewire-event-id'], first.headers['tidewire-event-id']);
    assert.equal(second.headers['tidewire-duplicate'], 'true');
  });

  test('twitch: a revocation is an event of that type', async () => {
    const made = await genuine('twitch');
    const answer = await post({ ...made, headers: { ...made.headers, 'twitch-eventsub-message-type': 'revocation' } });
    assert.equal((await router.event(answer.headers['tidewire-event-id'])).type, 'revocation');
  });

  test('cloudevents: an id counts within its source', async () => {
    const made = await genuine('cloudevents');
    const one = await post(made);
    const two = await post({ ...made, headers: { ...made.headers, 'ce-source': '/other' } });
    const three = await post(made);
    assert.equal(two.headers['tidewire-duplicate'], undefined);
    assert.equal(three.headers['tidewire-event-id'], one.headers['tidewire-event-id']);
  });
});

describe('what tidewire send signs', () => {
  let catcher;
  let answer;
  before(async () => {
    catcher = await startTarget(() => answer);
    answer = { status: 200 };
    for (const [name, pem] of Object.entries(PRIVATE)) await writeFile(path.join(router.folder, `${name}.pem`), pem);
  });
  after(() => catcher?.close());

  const keyOf = (name) => (name === 'discord' ? ['--key', path.join(router.folder, 'ed25519.pem')]
    : name === 'sendgrid' ? ['--key', path.join(router.folder, 'p256.pem')] : []);
  const send = (name, sample, ...more) =>
    command(['send', `/${name}`, sample, '--folder', router.folder, ...keyOf(name), ...more], { env: router.env });

  const checks = {
    github: ['push', ({ body, headers }) => verifyGithub(TEXT, body, headers['x-hub-signature-256'])],
    stripe: ['invoice.paid', ({ body, headers }) => new Stripe('sk').webhooks.constructEvent(body, headers['stripe-signature'], WHSEC)],
    standard: ['invoice.paid', ({ body, headers }) => new Webhook(WHSEC).verify(body, headers)],
    svix: ['user.created', ({ body, headers }) => new SvixWebhook(WHSEC).verify(body, headers)],
    twilio: ['received', ({ body, headers, url }) => twilio.validateRequest(TEXT, headers['x-twilio-signature'], SITE + url,
      Object.fromEntries(new URLSearchParams(body)))],
    twilio_json: ['onMessageAdded', ({ body, headers, url }) =>
      twilio.validateRequestWithBody(TEXT, headers['x-twilio-signature'], SITE + url, body)],
    discord: ['2', ({ body, headers }) =>
      verifyKey(body, headers['x-signature-ed25519'], headers['x-signature-timestamp'], PUBLIC.ed25519)],
    paddle: ['customer.created', ({ body, headers }) => new Paddle('unused').webhooks.unmarshal(body, TEXT, headers['paddle-signature'])],
    sendgrid: ['bounce', ({ body, headers }) => {
      const library = new EventWebhook();
      const prefix = 'x-twilio-email-event-webhook';
      return library.verifySignature(library.convertPublicKeyToECDSA(PUBLIC.p256), body, headers[`${prefix}-signature`],
        headers[`${prefix}-timestamp`]);
    }],
    hubspot: ['deal.creation', ({ body, headers, url }) => Signature.isValid({
      signatureVersion: 'v3', method: 'POST', clientSecret: TEXT, requestBody: body, url: SITE + url,
      signature: headers['x-hubspot-signature-v3'], timestamp: Number(headers['x-hubspot-request-timestamp']),
    })],
    linear: ['Issue.create', ({ body, headers }) => new LinearWebhookClient(TEXT).verify(Buffer.from(body), headers['linear-signature'],
      JSON.parse(body).webhookTimestamp)],
    notion: ['page.created', ({ body, headers }) =>
      verifyWebhookSignature({ body, signature: headers['x-notion-signature'], verificationToken: TEXT })],
  };
  for (const [name, [sample, verifies]] of Object.entries(checks)) {
    test(`${name}: its own library takes`, async () => {
      const before = catcher.received.length;
      const sent = await send(name, sample, '--to', catcher.url);
      assert.equal(sent.code, 0, sent.stderr);
      const got = catcher.received[before];
      assert.ok(await verifies({ ...got, body: got.body.toString() }));
    });
  }

  test('every sample of every provider is sent and accepted, each time anew, and has the type it is called by', async () => {
    const untyped = ['dropbox', 'hubspot', 'okta', 'sendgrid', 'form_response_scored'];
    const listed = JSON.parse((await command(['samples', '--json'])).stdout);
    for (const name of ['sns', 'paypal']) delete listed[name]; // nobody here can sign them: certificates.test.js
    const waiting = Object.entries(listed).flatMap(([name, samples]) => samples.map((sample) => [name, sample]));
    const seen = new Set();
    await Promise.all(Array.from({ length: 4 }, async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const [name, sample] = next;
        const sent = await send(name, sample);
        assert.equal(sent.code, 0, `${name} ${sample}: ${sent.stdout} ${sent.stderr}`);
        const [id] = sent.stdout.match(/[0-9a-f]{8}-[0-9a-f-]{27}/);
        assert.ok(!seen.has(id), `${name} ${sample} was taken for a repetition`);
        seen.add(id);
        const event = await router.event(id);
        if (!untyped.includes(name) && !untyped.includes(sample)) assert.equal(event.type, sample, name);
      }
    }));
    assert.ok(seen.size >= 3 * Object.keys(listed).length);
  });

  test('a sample sent again is another event', async () => {
    const ids = [];
    for (const name of ['github', 'github', 'shopify', 'shopify']) {
      const sent = await send(name, name === 'github' ? 'push' : 'orders/create');
      ids.push(sent.stdout.match(/[0-9a-f]{8}-[0-9a-f-]{27}/)[0]);
    }
    assert.equal(new Set(ids).size, ids.length);
  });

  test('a wrong secret on purpose is refused', async () => {
    const sent = await send('stripe', 'invoice.paid', '--bad-signature');
    assert.equal(sent.code, 1);
    assert.match(sent.stdout, /^401 /);
  });

  test('--set reaches JSON, forms and signed fields', async () => {
    const before = catcher.received.length;
    await send('twilio', 'received', '--set', 'body.Body=a b&c', '--to', catcher.url);
    await send('mailgun', 'opened', '--set', 'body.event-data.recipient=ben@example.com', '--to', catcher.url);
    const [form, json] = catcher.received.slice(before).map((got) => got.body.toString());
    assert.equal(new URLSearchParams(form).get('Body'), 'a b&c');
    assert.equal(JSON.parse(json)['event-data'].recipient, 'ben@example.com');
  });
});

test('every profile takes what it signs and nothing else', async () => {
  for (const key of ['ed25519', 'p256']) {
    const other = key === 'ed25519' ? 'sendgrid' : 'discord'; // whose key it is not
    const text = rules.split('\n').filter((line) => !line.includes(`provider.${other} `)).join('\n');
    const one = await Router.start({ 'all.lua': text }, { env: ENV });
    await writeFile(path.join(one.folder, 'key.pem'), PRIVATE[key]);
    const proved = await one.command('samples', '--prove', '--key', path.join(one.folder, 'key.pem'));
    assert.equal(proved.code, 0, proved.stdout);
    assert.match(proved.stdout, /^1[0-9]{2} proved, 0 not/);
    await one.end();
  }
});
