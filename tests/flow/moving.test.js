// Moving in: hooks files of adnanh/webhook.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { command, Router, SECRET, startTarget, until } from './support.js';

const hooks = [
  {
    id: 'redeploy-webhook',
    'execute-command': '/var/scripts/redeploy.sh',
    'response-message': 'Redeploying "now"',
    'response-headers': [{ name: 'X-Kind', value: 'deploy' }],
    'http-methods': ['POST'],
    'pass-arguments-to-command': [
      { source: 'payload', name: 'head_commit.id' },
      { source: 'payload', name: 'commits.0.author.name' },
      { source: 'header', name: 'X-Sender' },
      { source: 'url', name: 'env' },
      { source: 'string', name: 'fixed' },
    ],
    'trigger-rule': {
      and: [
        { match: { type: 'payload-hmac-sha256', secret: 'in the file', parameter: { source: 'header', name: 'X-Hub-Signature-256' } } },
        { match: { type: 'value', value: 'refs/heads/main', parameter: { source: 'payload', name: 'ref' } } },
        { match: { type: 'ip-whitelist', 'ip-range': '127.0.0.0/8 192.0.2.1' } },
        { or: [
          { match: { type: 'regex', regex: '^v\\d+\\.[0-9]+$', parameter: { source: 'payload', name: 'tag' } } },
          { not: { match: { type: 'value', value: '0', parameter: { source: 'query', name: 'env' } } } },
        ] },
      ],
    },
  },
  { id: 'open', 'execute-command': 'true', 'success-http-response-code': 204 },
  { id: 'either', 'execute-command': 'true', 'trigger-rule': { or: [
    { match: { type: 'ip-whitelist', 'ip-range': '127.0.0.1' } },
    { match: { type: 'value', value: '42', parameter: { source: 'url', name: 'token' } } }] } },
  { id: 'odd', 'execute-command': 'true',
    'trigger-rule': { match: { type: 'regex', regex: '(a|b){2}', parameter: { source: 'payload', name: 'x' } } } },
];

const yaml = `
- id: redeploy-webhook
  execute-command: /bin/true
  trigger-rule:
    match:
      type: payload-hmac-sha1
      secret: "x"
      parameter: { source: header, name: X-Hub-Signature }
`;

let folder;
let target;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-'));
  target = await startTarget();
});
after(async () => {
  await target?.close();
  await rm(folder, { recursive: true, force: true });
});

async function moved(name, text) {
  const where = path.join(folder, name.replace('.', '-'));
  await writeFile(path.join(folder, name), text);
  const result = await command(['init', where, '--from', path.join(folder, name)]);
  return { ...result, where, rules: await readFile(path.join(where, 'rules/hooks.lua'), 'utf8').catch(() => null) };
}

test('a hooks.json becomes rules that do the same', async () => {
  const { code, stdout, rules } = await moved('hooks.json', JSON.stringify(hooks));
  assert.equal(code, 0, stdout);
  assert.match(stdout, /to do: export REDEPLOY_WEBHOOK_SECRET=…/);
  assert.match(stdout, /to do: the hook "odd" is switched off: the regular expression \(a\|b\)\{2\} has no equal/);
  assert.match(stdout, /"either" is switched off: a match of the type "ip-whitelist" inside `or` or `not` cannot be taken over/);
  assert.doesNotMatch(rules, /in the file/, 'a secret does not move into a rule');
  assert.match(rules, /The hook ran \/var\/scripts\/redeploy\.sh\. The router runs no commands/);
  const router = await Router.start({ 'hooks.lua': rules }, { env: { REDEPLOY_WEBHOOK_SECRET: SECRET, REDEPLOY_WEBHOOK_URL: `${target.url}/redeploy`,
    OPEN_URL: `${target.url}/open`, ODD_URL: `${target.url}/odd` } });
  try {
    const post = (body, query = 'env=prod', secret = SECRET) => {
      const text = JSON.stringify(body);
      return router.post(`/hooks/redeploy-webhook?${query}`, text, { 'content-type': 'application/json', 'x-sender': 'me',
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}` });
    };
    const good = { ref: 'refs/heads/main', tag: 'v1.20', head_commit: { id: 'abc' }, commits: [{ author: { name: 'Ann' } }] };
    const answer = await post(good);
    assert.deepEqual([answer.status, answer.body.toString(), answer.headers['x-kind']], [200, 'Redeploying "now"', 'deploy']);
    await until('the message', () => target.received.length === 1);
    assert.deepEqual(JSON.parse(target.received[0].body), { 'head_commit.id': 'abc', 'commits.0.author.name': 'Ann', 'X-Sender': 'me',
      env: 'prod', fixed: 'fixed' });
    assert.equal((await post(good, 'env=prod', 'another')).status, 401);
    await post({ ...good, ref: 'refs/heads/other' });
    await post({ ...good, tag: 'latest' }, 'env=0');
    assert.equal((await router.events()).length, 1, 'the conditions decide');
    assert.equal((await router.post('/hooks/open', 'x')).status, 204);
    assert.equal((await router.post('/hooks/odd', '{}')).status, 404, 'what cannot be said here is switched off');
  } finally {
    await router.end();
  }
});

test('a hooks.yaml too, and its rules load', async () => {
  const { code, where, rules, stdout, stderr } = await moved('hooks.yaml', yaml);
  assert.equal(code, 0, stdout + stderr);
  assert.match(rules, /verify\.hmac \{ header = "X-Hub-Signature", prefix = "sha1=", algorithm = "sha1"/);
  const checked = await command(['check', where]);
  assert.equal(checked.code, 0, checked.stdout);
});

test('long comments, tables and conditions are wrapped, and the rules load', async () => {
  const many = Array.from({ length: 20 }, (_, i) => `field-${i} "é, and or {`);
  const { code, where, rules } = await moved('long.json', JSON.stringify([{
    id: 'long', 'execute-command': `/bin/run ${'with words '.repeat(40)}`,
    'response-headers': many.map((text, i) => ({ name: `X-${i}`, value: text })),
    'pass-arguments-to-command': many.map((text, i) => ({ source: 'payload', name: `commits.${i}.name` })),
    'trigger-rule': { and: many.map((value, i) => ({ or: [{ match: { type: 'value', value, parameter: { source: 'payload', name: `a${i}` } } },
      { match: { type: 'value', value, parameter: { source: 'header', name: `X-A${i}` } } }] })) },
  }]));
  assert.equal(code, 0);
  const lines = rules.split('\n');
  assert.deepEqual(lines.filter((line) => line.length > 130), []);
  assert.ok(lines.length > 30 && many.every((text) => rules.includes(text.replace('"', '\\"'))), 'no text is broken');
  const checked = await command(['check', where]);
  assert.equal(checked.code, 0, checked.stdout);
});

test('what is no hooks file is said, and nothing is written', async () => {
  for (const [name, text, said] of [
    ['a.json', '[{ "id": ', /a\.json: .*byte/],
    ['b.json', '{ "id": "x" }', /b\.json: a hooks file is a list of hooks/],
    ['c.json', '[{ "id": "a b" }]', /c\.json: the hook at place 1 has no id/],
    ['d.yaml', 'a: [1\n', /d\.yaml: line \d+: /],
  ]) {
    const { code, stderr, rules } = await moved(name, text);
    assert.equal(code, 1, name);
    assert.match(stderr, said);
    assert.equal(rules, null);
  }
});
