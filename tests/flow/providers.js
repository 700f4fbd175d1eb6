// What providers.test.js knows of each provider: the options of its route, a body, and how the sender signs it: by the provider's own
// library where there is one, else by the words of its documentation.
import { createHmac, generateKeyPairSync, randomUUID, sign as signBy } from 'node:crypto';
import { createRequire } from 'node:module';
import { sign as signGithub } from '@octokit/webhooks-methods';
import { signWebhookPayload } from '@notionhq/client';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';

const require = createRequire(import.meta.url);
const twilio = require('twilio');
const { Signature } = require('@hubspot/api-client/lib/src/utils/signature.js');

export const TEXT = 'It is a secret to everybody';
export const OTHER = 'It is another secret';
export const WHSEC = `whsec_${Buffer.from('a secret of at least 24 bytes in').toString('base64')}`;
export const OTHER_WHSEC = `whsec_${Buffer.from('another one of at least 24 bytes').toString('base64')}`;
const HEX = 'ab'.repeat(32);
const ED = generateKeyPairSync('ed25519');
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const wrongKeys = { ed25519: generateKeyPairSync('ed25519'), p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
export const PUBLIC = {
  ed25519: ED.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
  p256: P256.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
};
export const PRIVATE = {
  ed25519: ED.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  p256: P256.privateKey.export({ format: 'pem', type: 'pkcs8' }),
};
export const SITE = 'https://hooks.example.com';
export const ENV = {
  TEXT, WHSEC, HEX, ED25519: PUBLIC.ed25519, P256: PUBLIC.p256, SITE, VERIFY_TOKEN: 'the verify token', SECOND: WHSEC,
};

const stripe = new Stripe('sk_test_unused');
const seconds = (at) => Math.floor(at.getTime() / 1000);
const hmac = (algorithm, key, text, encoding) => createHmac(algorithm, key).update(text).digest(encoding);
const basic = (password) => `Basic ${Buffer.from(`hook:${password}`).toString('base64')}`;

/** Headers of Standard Webhooks, under either spelling of their names. */
function standard(prefix, Signer) {
  return (body, { secret, at }) => {
    const id = `msg_${randomUUID()}`;
    return {
      [`${prefix}-id`]: id, [`${prefix}-timestamp`]: String(seconds(at)), [`${prefix}-signature`]: new Signer(secret).sign(id, at, body),
    };
  };
}

/** A provider that signs the body alone. */
function plain(header, { algorithm = 'sha256', encoding = 'hex', prefix = '', key = (secret) => secret } = {}) {
  return (body, { secret }) => ({ [header]: prefix + hmac(algorithm, key(secret), body, encoding) });
}

const text = 'secret = secret "TEXT"';
const whsec = 'secret = secret "WHSEC"';

/**
 * name: { options, body(id), sign(body, { secret, at, url }) → headers, more: other headers, type, reply: [status, body],
 *   secret, wrong: another one, timed: a time is signed, unsigned: the body is not, once: repetitions are not known, path, batch }
 * The first header that `sign` gives is the one with the signature.
 */
export const providers = {
  github: {
    options: text, sign: async (body, { secret }) => ({ 'x-hub-signature-256': await signGithub(secret, body) }),
    body: (id) => JSON.stringify({ ref: 'refs/heads/main', after: id }), type: 'push',
    more: () => ({ 'x-github-event': 'push', 'x-github-delivery': randomUUID() }),
  },
  gitlab: {
    options: text, sign: (body, { secret }) => ({ 'x-gitlab-token': secret }), unsigned: true, type: 'push',
    body: (id) => JSON.stringify({ object_kind: 'push', after: id }),
    more: () => ({ 'x-gitlab-event': 'Push Hook', 'idempotency-key': randomUUID() }),
  },
  gitlab_signed: {
    name: 'gitlab', options: 'signing_secret = secret "WHSEC"', secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'issue',
    sign: standard('webhook', Webhook), body: (id) => JSON.stringify({ object_kind: 'issue', title: id }),
    more: () => ({ 'idempotency-key': randomUUID() }),
  },
  bitbucket: {
    options: text, sign: plain('x-hub-signature', { prefix: 'sha256=' }), type: 'repo:push',
    body: (id) => JSON.stringify({ push: { changes: [{ hash: id }] } }),
    more: () => ({ 'x-event-key': 'repo:push', 'x-request-uuid': randomUUID() }),
  },
  bitbucket_data_center: {
    name: 'bitbucket', options: text, sign: plain('x-hub-signature', { prefix: 'sha256=' }), type: 'repo:refs_changed',
    body: (id) => JSON.stringify({ eventKey: 'repo:refs_changed', toHash: id }),
    more: () => ({ 'x-event-key': 'repo:refs_changed', 'x-request-id': randomUUID() }),
  },
  stripe: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'invoice.paid',
    sign: (body, { secret, at }) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: seconds(at) }),
    }),
    body: (id) => JSON.stringify({ id: `evt_${id}`, object: 'event', type: 'invoice.paid', data: { object: {} } }),
  },
  shopify: {
    options: text, sign: plain('x-shopify-hmac-sha256', { encoding: 'base64' }), type: 'orders/create', reply: [200, ''],
    body: (id) => JSON.stringify({ id: 1, name: id }),
    more: () => ({ 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': randomUUID() }),
  },
  slack: {
    options: text, timed: true, type: 'message', reply: [200, ''],
    sign: (body, { secret, at }) => ({
      'x-slack-signature': `v0=${hmac('sha256', secret, `v0:${seconds(at)}:${body}`, 'hex')}`,
      'x-slack-request-timestamp': String(seconds(at)),
    }),
    body: (id) => JSON.stringify({ type: 'event_callback', event_id: `Ev${id}`, event: { type: 'message', text: 'hello' } }),
  },
  twilio: {
    options: `${text}, public_url = env "SITE"`, reply: [200, '<Response/>'], once: true, type: 'received',
    sign: (body, { secret, path }) => ({
      'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, SITE + path, Object.fromEntries(new URLSearchParams(body))),
    }),
    body: (id) => new URLSearchParams({ SmsStatus: 'received', Body: 'Hello there', MessageSid: `SM${id}` }).toString(),
    content: 'application/x-www-form-urlencoded',
  },
  twilio_json: {
    name: 'twilio', options: `${text}, public_url = env "SITE"`, reply: [200, '<Response/>'], once: true,
    query: (body) => `?bodySHA256=${twilio.getExpectedBodyHash(body)}`,
    sign: (body, { secret, path }) => ({ 'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, SITE + path, {}) }),
    body: (id) => JSON.stringify({ EventType: 'onMessageAdded', MessageSid: `IM${id}` }), type: 'onMessageAdded',
  },
  sendgrid: {
    options: 'public_key = env "P256"', secret: P256.privateKey, wrong: wrongKeys.p256.privateKey, timed: true,
    sign: (body, { secret, at }) => ({
      'x-twilio-email-event-webhook-signature': signBy('sha256', Buffer.from(seconds(at) + body), secret).toString('base64'),
      'x-twilio-email-event-webhook-timestamp': String(seconds(at)),
    }),
    body: (id) => JSON.stringify([{ event: 'delivered', sg_event_id: id }]), once: true, // ECDSA gives another signature each time
  },
  mailgun: {
    options: text, timed: true, type: 'delivered', reply: [200, ''], inBody: 'signature', unsigned: true,
    verified: 'mailgun (payload not signed)',
    whole: (id, { secret, at }) => {
      const timestamp = String(seconds(at));
      const signature = hmac('sha256', secret, timestamp + id, 'hex');
      return JSON.stringify({ signature: { timestamp, token: id, signature }, 'event-data': { id, event: 'delivered' } });
    },
  },
  square: {
    options: `${text}, public_url = "${SITE}/square"`, type: 'payment.created',
    sign: (body, { secret, path }) => ({ 'x-square-hmacsha256-signature': hmac('sha256', secret, SITE + path + body, 'base64') }),
    body: (id) => JSON.stringify({ event_id: id, type: 'payment.created' }),
  },
  discord: {
    options: 'public_key = env "ED25519"', secret: ED.privateKey, wrong: wrongKeys.ed25519.privateKey, timed: true,
    type: 'ENTITLEMENT_CREATE', reply: [204, ''],
    sign: (body, { secret, at }) => ({
      'x-signature-ed25519': signBy(null, Buffer.from(seconds(at) + body), secret).toString('hex'),
      'x-signature-timestamp': String(seconds(at)),
    }),
    body: (id) => JSON.stringify({ version: 1, type: 1, event: { type: 'ENTITLEMENT_CREATE', data: { id } } }),
  },
  zoom: {
    options: text, timed: true, type: 'meeting.started', reply: [200, ''],
    sign: (body, { secret, at }) => ({
      'x-zm-signature': `v0=${hmac('sha256', secret, `v0:${seconds(at)}:${body}`, 'hex')}`,
      'x-zm-request-timestamp': String(seconds(at)),
    }),
    body: (id) => JSON.stringify({ event: 'meeting.started', event_ts: 1, payload: { object: { uuid: id } } }),
  },
  linear: {
    options: text, sign: plain('linear-signature'), type: 'Issue.create', reply: [200, ''], timed: true, timeInBody: true,
    body: (id, at = new Date()) => JSON.stringify({ action: 'create', type: 'Issue', data: { id }, webhookTimestamp: at.getTime() }),
    more: () => ({ 'linear-delivery': randomUUID() }),
  },
  notion: {
    options: text, type: 'page.created', reply: [200, ''],
    sign: async (body, { secret }) => ({ 'x-notion-signature': await signWebhookPayload({ body, verificationToken: secret }) }),
    body: (id) => JSON.stringify({ id, type: 'page.created' }),
  },
  intercom: {
    options: text, sign: plain('x-hub-signature', { algorithm: 'sha1', prefix: 'sha1=' }), type: 'ping', reply: [200, ''],
    body: (id) => JSON.stringify({ topic: 'ping', id: `notif_${id}` }),
  },
  hubspot: {
    options: `${text}, public_url = env "SITE"`, timed: true,
    sign: (body, { secret, at, path }) => ({
      'x-hubspot-signature-v3': Signature.getSignature('POST', 'v3', {
        clientSecret: secret, requestBody: body, url: SITE + path, timestamp: at.getTime() }),
      'x-hubspot-request-timestamp': String(at.getTime()),
    }),
    body: (id) => JSON.stringify([{ eventId: 1, subscriptionType: 'contact.creation', note: id }]),
  },
  hubspot_v2: {
    name: 'hubspot', options: `${text}, public_url = env "SITE", version = "v2"`,
    sign: (body, { secret, path }) => ({
      'x-hubspot-signature': Signature.getSignature('POST', 'v2', { clientSecret: secret, requestBody: body, url: SITE + path }),
    }),
    body: (id) => JSON.stringify([{ eventId: 2, subscriptionType: 'contact.creation', note: id }]),
  },
  hubspot_v1: {
    name: 'hubspot', options: `${text}, version = "v1"`,
    sign: (body, { secret }) => ({
      'x-hubspot-signature': Signature.getSignature('POST', 'v1', { clientSecret: secret, requestBody: body }),
    }),
    body: (id) => JSON.stringify([{ eventId: 3, subscriptionType: 'contact.creation', note: id }]),
  },
  typeform: {
    options: text, sign: plain('typeform-signature', { encoding: 'base64', prefix: 'sha256=' }), type: 'form_response',
    body: (id) => JSON.stringify({ event_id: id, event_type: 'form_response' }),
  },
  standard: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'invoice.paid', sign: standard('webhook', Webhook),
    body: (id) => JSON.stringify({ type: 'invoice.paid', data: { id } }),
  },
  svix: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'user.created', sign: standard('svix', SvixWebhook),
    body: (id) => JSON.stringify({ type: 'user.created', data: { id } }),
  },
  paddle: {
    options: text, timed: true, type: 'transaction.completed', reply: [200, ''],
    sign: (body, { secret, at }) => ({
      'paddle-signature': `ts=${seconds(at)};h1=${hmac('sha256', secret, `${seconds(at)}:${body}`, 'hex')}`,
    }),
    body: (id) => JSON.stringify({ event_id: `evt_${id}`, event_type: 'transaction.completed', data: {} }),
  },
  zendesk: {
    options: text, timed: true, type: 'zen:event-type:ticket.created',
    sign: (body, { secret, at }) => {
      const stamp = `${at.toISOString().slice(0, 19)}Z`;
      return {
        'x-zendesk-webhook-signature': hmac('sha256', secret, stamp + body, 'base64'),
        'x-zendesk-webhook-signature-timestamp': stamp,
      };
    },
    body: (id) => JSON.stringify({ type: 'zen:event-type:ticket.created', id }),
    more: () => ({ 'x-zendesk-webhook-invocation-id': randomUUID() }),
  },
  dropbox: {
    options: text, sign: plain('x-dropbox-signature'), reply: [200, ''], once: true,
    body: () => JSON.stringify({ list_folder: { accounts: ['dbid:1'] } }),
  },
  meta: {
    options: `${text}, verify_token = secret "VERIFY_TOKEN"`, sign: plain('x-hub-signature-256', { prefix: 'sha256=' }),
    type: 'page', reply: [200, ''], body: (id) => JSON.stringify({ object: 'page', entry: [{ id }] }),
  },
  telegram: {
    options: text, sign: (body, { secret }) => ({ 'x-telegram-bot-api-secret-token': secret }), unsigned: true, type: 'callback_query',
    reply: [200, ''], body: (id) => JSON.stringify({ update_id: Number.parseInt(id.slice(0, 8), 16), callback_query: { id } }),
  },
  calendly: {
    options: text, timed: true, type: 'invitee.created',
    sign: (body, { secret, at }) => ({
      'calendly-webhook-signature': `t=${seconds(at)},v1=${hmac('sha256', secret, `${seconds(at)}.${body}`, 'hex')}`,
    }),
    body: (id) => JSON.stringify({ event: 'invitee.created', created_at: '2026-11-20T10:00:00Z', payload: { uri: id } }),
  },
  twitch: {
    options: text, timed: true, type: 'stream.online', reply: [204, ''],
    sign: (body, { secret, at }) => {
      const id = randomUUID();
      const stamp = at.toISOString().replace('Z', '123456Z'); // nanoseconds
      return {
        'twitch-eventsub-message-signature': `sha256=${hmac('sha256', secret, id + stamp + body, 'hex')}`,
        'twitch-eventsub-message-id': id, 'twitch-eventsub-message-timestamp': stamp,
      };
    },
    more: () => ({ 'twitch-eventsub-message-type': 'notification' }),
    body: (id) => JSON.stringify({ subscription: { type: 'stream.online' }, event: { id } }),
  },
  jira: {
    options: text, sign: plain('x-hub-signature', { prefix: 'sha256=' }), type: 'jira:issue_created',
    body: (id) => JSON.stringify({ webhookEvent: 'jira:issue_created', issue: { id } }),
    more: () => ({ 'x-atlassian-webhook-identifier': randomUUID() }),
  },
  cloudevents: {
    options: 'bearer = secret "TEXT", allow_origins = { "events.example.com" }', unsigned: true, type: 'order.created',
    sign: (body, { secret }) => ({ authorization: `Bearer ${secret}` }), body: (id) => JSON.stringify({ order: id }),
    more: () => ({ 'ce-specversion': '1.0', 'ce-type': 'order.created', 'ce-source': '/shop', 'ce-id': randomUUID() }),
  },
  cloudevents_structured: {
    name: 'cloudevents', options: 'bearer = secret "TEXT"', unsigned: true, type: 'order.shipped',
    sign: (body, { secret }) => ({ authorization: `Bearer ${secret}` }), content: 'application/cloudevents+json',
    body: (id) => JSON.stringify({ specversion: '1.0', type: 'order.shipped', source: '/shop', id, data: {} }),
  },
  openai: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'batch.completed', sign: standard('webhook', Webhook),
    body: (id) => JSON.stringify({ type: 'batch.completed', data: { id } }),
  },
  clerk: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'user.created', sign: standard('svix', SvixWebhook),
    body: (id) => JSON.stringify({ type: 'user.created', data: { id } }),
  },
  resend: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'email.sent', sign: standard('svix', SvixWebhook),
    body: (id) => JSON.stringify({ type: 'email.sent', data: { id } }),
  },
  replicate: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'succeeded', sign: standard('webhook', Webhook),
    body: (id) => JSON.stringify({ id, status: 'succeeded' }),
  },
  brex: {
    options: whsec, secret: WHSEC, wrong: OTHER_WHSEC, timed: true, type: 'TRANSFER_PROCESSED', sign: standard('webhook', Webhook),
    body: (id) => JSON.stringify({ event_type: 'TRANSFER_PROCESSED', transfer_id: id }),
  },
  woocommerce: {
    options: text, sign: plain('x-wc-webhook-signature', { encoding: 'base64' }), type: 'order.created', reply: [200, ''],
    body: (id) => JSON.stringify({ id: 1, note: id }),
    more: () => ({ 'x-wc-webhook-topic': 'order.created', 'x-wc-webhook-delivery-id': randomUUID() }),
  },
  vercel: {
    options: text, sign: plain('x-vercel-signature', { algorithm: 'sha1' }), type: 'deployment.created',
    body: (id) => JSON.stringify({ id, type: 'deployment.created' }),
  },
  webflow: {
    options: text, timed: true, type: 'site_publish',
    sign: (body, { secret, at }) => ({
      'x-webflow-signature': hmac('sha256', secret, `${at.getTime()}:${body}`, 'hex'), 'x-webflow-timestamp': String(at.getTime()),
    }),
    body: (id) => JSON.stringify({ triggerType: 'site_publish', payload: { id } }),
  },
  okta: {
    options: text, sign: (body, { secret }) => ({ authorization: secret }), unsigned: true, type: 'com.okta.event_hook',
    reply: [200, ''], body: (id) => JSON.stringify({ eventId: id, eventType: 'com.okta.event_hook', data: { events: [] } }),
  },
  customerio: {
    options: text, timed: true, type: 'email.delivered',
    sign: (body, { secret, at }) => ({
      'x-cio-signature': hmac('sha256', secret, `v0:${seconds(at)}:${body}`, 'hex'), 'x-cio-timestamp': String(seconds(at)),
    }),
    body: (id) => JSON.stringify({ event_id: id, object_type: 'email', metric: 'delivered' }),
  },
  calcom: {
    options: text, sign: plain('x-cal-signature-256'), type: 'BOOKING_CREATED',
    body: (id) => JSON.stringify({ triggerEvent: 'BOOKING_CREATED', payload: { uid: id } }),
  },
  onfleet: {
    options: 'secret = secret "HEX"', secret: HEX, wrong: 'cd'.repeat(32), type: 'taskStarted', reply: [200, ''],
    sign: plain('x-onfleet-signature', { algorithm: 'sha512', key: (secret) => Buffer.from(secret, 'hex') }),
    body: (id) => JSON.stringify({ triggerId: 0, triggerName: 'taskStarted', taskId: id }),
  },
  postmark: {
    options: 'user = "hook", password = secret "TEXT"', sign: (body, { secret }) => ({ authorization: basic(secret) }), unsigned: true,
    type: 'Delivery', reply: [200, ''], once: true, body: (id) => JSON.stringify({ RecordType: 'Delivery', MessageID: id }),
  },
  chargebee: {
    options: 'user = "hook", password = secret "TEXT"', sign: (body, { secret }) => ({ authorization: basic(secret) }), unsigned: true,
    type: 'payment_failed', reply: [200, ''], body: (id) => JSON.stringify({ id: `ev_${id}`, event_type: 'payment_failed' }),
  },
};

export const rules = Object.entries(providers)
  .map(([path, { name = path, options }]) =>
    `route "/${path}" { from = provider.${name} { ${options} }, handle = function() drop "seen" end }`)
  .join('\n');

/** A request as the provider would send it: { path, body, headers }. */
export async function genuine(path, { secret, at = new Date(), id = randomUUID() } = {}) {
  const provider = providers[path];
  const key = secret ?? provider.secret ?? TEXT;
  const headers = { 'content-type': provider.content ?? 'application/json', ...provider.more?.() };
  if (provider.whole) return { path: `/${path}`, body: provider.whole(id, { secret: key, at }), headers, signed: [] };
  const body = provider.body(id, at);
  const target = `/${path}${provider.query?.(body) ?? ''}`;
  const made = await provider.sign(body, { secret: key, at, path: target });
  return { path: target, body, headers: { ...headers, ...made }, signed: Object.keys(made) };
}

