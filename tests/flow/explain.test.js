// tidewire explain, a dry run with each decision, and tidewire repl, a prompt; over the real binary.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { BINARY, command, Router, SECRET, startTarget } from './support.js';

const folders = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function folderOf(files) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-explain-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/SECRET|TOKEN|_URL$/.test(name)));
const explain = (folder, words, env = {}) => command(['explain', ...words], { cwd: folder, env: { ...bare, ...env } });

/** Explains a plain body; gives the document of --json. */
async function documentOf(rules, body, words, env) {
  const folder = await folderOf({ 'rules/a.lua': rules, 'body.json': body });
  const { code, stdout, stderr } = await explain(folder, ['body.json', '--json', ...words], env);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const GITHUB = `
local chat = target "chat" { url = secret "CHAT_PLACE" }
local erp = target "erp" { url = env("ERP_PLACE", "https://erp.example.com/in"), order_by = "body.id" }
route "/github/:org" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  when = { type = "push", ["body.ref"] = { "refs/heads/main", "refs/tags/*" } },
  handle = function(event)
    log.info("a push", { org = event.params.org })
    send(chat, { json = { text = event.body.ref }, path = "room/1" })
    send(erp, { json = { id = 5 }, delay = "2h" })
  end,
}
`;
const PUSH = '{"ref": "refs/heads/main"}';

describe('decisions', () => {
  test('route, verification, content, conditions, dedupe, handler, log, messages, reply', async () => {
    const found = await documentOf(GITHUB, PUSH, ['--route', '/github/acme', '--type', 'push']);
    assert.deepEqual(found.route, { path: '/github/:org', file: 'rules/a.lua', line: 4 });
    assert.deepEqual(found.verification, { by: 'github', valid: true });
    const [event] = found.events;
    assert.equal(event.decoded, 'JSON');
    assert.equal(event.type, 'push');
    assert.deepEqual(event.when, [
      { path: 'body.ref', wanted: ['refs/heads/main', 'refs/tags/*'], got: 'refs/heads/main', holds: true },
      { path: 'type', wanted: ['push'], got: 'push', holds: true },
    ]);
    assert.match(event.key, /^[0-9a-f-]{36}$/);
    assert.equal(found.dedupe.path, 'headers.x-github-delivery');
    assert.deepEqual(found.handler, { file: 'rules/a.lua', line: 7 });
    assert.equal(found.log.length, 1);
    assert.match(found.log[0], /^info a push .*acme/);
    assert.equal(found.reply.status, 202);
    assert.equal(found.messages.length, 2);
    const [chat, erp] = found.messages;
    assert.deepEqual({ ...chat, url: new URL(chat.url).pathname },
      { target: 'chat', method: 'POST', url: '/room/1', body: '{"text":"refs/heads/main"}', body_bytes: 26, due: 'at once' });
    assert.equal(erp.url, 'https://erp.example.com/in');
    assert.equal(erp.body, '{"id":5}');
    assert.equal(erp.key, '5');
    assert.ok(Date.parse(erp.due) > Date.now() + 7000_000, erp.due);
  });

  test('a condition that does not hold, with what stands there', async () => {
    const found = await documentOf(GITHUB, '{"ref": 7}', ['--route', '/github/acme', '--type', 'push']);
    assert.equal(found.state, 'ignored');
    assert.deepEqual(found.events[0].when[0],
      { path: 'body.ref', wanted: ['refs/heads/main', 'refs/tags/*'], got: 7, holds: false });
    assert.equal(found.events[0].when[1].holds, true);
    assert.deepEqual(found.messages, []);
    const nothing = await documentOf(GITHUB, '{}', ['--route', '/github/acme', '--type', 'push']);
    assert.ok(!('got' in nothing.events[0].when[0]));
  });

  test('every kind of wanted value', async () => {
    const found = await documentOf(`route "/in" { verify = verify.none "tests",
      when = { ["body.n"] = 5, ["body.t"] = true, ["body.z"] = json.null, ["body.l[*].a"] = "x" }, handle = function(event) end }`,
    '{"n": 5, "t": true, "z": null, "l": [{"a": "y"}, {"a": "x"}]}', ['--route', '/in']);
    assert.deepEqual(found.events[0].when.map(({ path, wanted, holds }) => [path, wanted, holds]),
      [['body.l[*].a', ['x'], true], ['body.n', [5], true], ['body.t', [true], true], ['body.z', [null], true]]);
  });

  test('a schema that does not hold; a body that is none; a path that no route takes', async () => {
    const rules = `route "/in" { verify = verify.none "tests", schema = { type = "object", required = { "id" } }, handle = function(event) end }`;
    const found = await documentOf(rules, '{"n": 1}', ['--route', '/in']);
    assert.equal(found.state, 'refused');
    assert.equal(found.schema.holds, false);
    assert.match(found.schema.why, /id/);
    assert.equal((await documentOf(rules, '{"id": 1}', ['--route', '/in'])).schema.holds, true);
    const none = await documentOf(rules, '{}', ['--route', '/out']);
    assert.equal(none.reply.status, 404);
    assert.ok(!('route' in none));
  });

  test('on the screen: a function as `when`, a handler that fails', async () => {
    const rules = `route "/in" { verify = verify.none "tests", dedupe = "body.id", when = function(event) return event.body.ok end,
  handle = function(event) error("one\\ntwo") end }`;
    const folder = await folderOf({ 'rules/a.lua': rules, 'yes.json': '{"id": 7, "ok": true}', 'no.json': '{"ok": false}' });
    const yes = await explain(folder, ['yes.json', '--route', '/in']);
    assert.equal(yes.code, 0, yes.stderr);
    assert.match(yes.stdout, /^verification ✓ the route asks for none\n/m);
    assert.match(yes.stdout, /^when {9}✓ a function of the rules\n/m);
    assert.match(yes.stdout, /^dedupe {7}body\.id = "7", would be remembered for 1d\n/m);
    assert.match(yes.stdout, /^handler {6}rules\/a\.lua:2 {2}failed, and would be tried again: error: rules\/a\.lua:2: one\n {13}two\n/m);
    assert.match(yes.stdout, /^messages {5}none\nreply {8}202 /m);
    const no = await explain(folder, ['no.json', '--route', '/in']);
    assert.match(no.stdout, /^when {9}✗ a function of the rules\nhandler {6}not called: ignored\n/m);
  });

  test('a request that ends at the door: a route that is off, a body that is not JSON, a handshake', async () => {
    const folder = await folderOf({
      'rules/a.lua': `
        route "/off" { enabled = false, verify = verify.none "tests", handle = function(event) end }
        route "/json" { verify = verify.none "tests", content = "json", handle = function(event) end }
        route "/slack" { from = provider.slack { secret = secret "SLACK_SECRET" }, handle = function(event) end }`,
      'text': 'no JSON', 'hello.json': '{"type": "url_verification", "challenge": "c1"}',
    });
    const off = await explain(folder, ['hello.json', '--route', '/off']);
    assert.match(off.stdout, /^verification · .*\nhandler {6}not called: refused.*\nmessages {5}none\nreply {8}404 /m);
    const text = await explain(folder, ['text', '--route', '/json']);
    assert.match(text.stdout, /^handler {6}not called: refused: the body is not valid JSON: .*\nmessages {5}none\nreply {8}400 /m);
    const hello = await explain(folder, ['hello.json', '--route', '/slack']);
    assert.match(hello.stdout, /^handler {6}not called: a handshake, which is answered at the door\nmessages {5}none\nreply {8}200 .*c1/m);
  });

  test('each: every item is an event', async () => {
    const found = await documentOf(`route "/in" { verify = verify.none "tests", each = "body.items", when = { ["body.n"] = { 1, 3 } },
      dedupe = "body.n", handle = function(event) end }`, '{"items": [{"n": 1}, {"n": 2}, {"n": 3}]}', ['--route', '/in']);
    assert.deepEqual(found.events.map((event) => [event.when[0].got, event.when[0].holds, event.key]),
      [[1, true, '1'], [2, false, undefined], [3, true, '3']]);
  });

  test('a handler that fails, and one that asks: nothing is asked', async () => {
    const target = await startTarget();
    try {
      const rules = `route "/in" { verify = verify.none "tests", handle = function(event)
        local ok = pcall(http.get, "${target.url}/customers")
        error("asked: " .. tostring(ok))
      end }`;
      const found = await documentOf(rules, '{}', ['--route', '/in']);
      assert.match(found.reason, /asked: false/);
      assert.deepEqual(found.asked, [{ method: 'GET', url: `${target.url}/customers` }]);
      assert.equal(target.received.length, 0);
    } finally {
      await target.close();
    }
  });
});

describe('what is not shown', () => {
  test('a secret that is set stands nowhere, for all is made with stand-ins', async () => {
    const env = { CHAT_PLACE: 'https://chat.example.com/s3cret', GITHUB_WEBHOOK_SECRET: SECRET };
    const found = await documentOf(GITHUB, PUSH, ['--route', '/github/acme', '--type', 'push'], env);
    assert.equal(found.state, 'done');
    assert.ok(!JSON.stringify(found).includes('s3cret'), JSON.stringify(found));
  });

  test('what the route hides: values, keys and messages; long values are cut', async () => {
    const rules = (redact) => `
      local t = target "t" { url = "https://t.example.com" }
      route "/in" { verify = verify.none "tests", ${redact} dedupe = "body.card", when = { ["body.card"] = "*" },
        handle = function(event) send(t, { json = { card = event.body.card } }) end }`;
    const body = JSON.stringify({ card: `4111${'1'.repeat(5000)}` });
    const hidden = await documentOf(rules('redact = { "body.card" },'), body, ['--route', '/in']);
    assert.ok(!JSON.stringify(hidden).includes('4111'), JSON.stringify(hidden));
    assert.equal(hidden.messages[0].body, '(hidden)');
    const open = await documentOf(rules(''), body, ['--route', '/in']);
    assert.equal(open.messages[0].body.length, 2048);
    assert.equal(open.messages[0].body_bytes, 5015);
  });
});

test('a stored event: from the router, from its store, from its sample; nothing is stored or sent', async () => {
  const target = await startTarget();
  const router = await Router.start({ 'a.lua': `
local t = target "t" { url = "${target.url}", private = true }
route "/github" { from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" }, handle = function(event) drop "as it was" end }` });
  try {
    const answer = await router.post('/github', PUSH, { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'd1',
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(PUSH).digest('hex')}`, 'Content-Type': 'application/json' });
    const { id } = JSON.parse(answer.body);
    const list = async () => JSON.parse((await router.get('/v1/events')).body).items.length;
    const folder = await folderOf({ 'rules/a.lua': `
local t = target "t" { url = "${target.url}", private = true }
route "/github" { from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" }, handle = function(event) send(t, { json = { ref = event.body.ref } }) end }` });
    const admin = ['--admin', `unix:${router.socket}`];
    const first = await explain(folder, [id, ...admin]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^route {8}✓ \/github {2}rules\/a\.lua:3\n/);
    assert.match(first.stdout, /\nverification ✓ by github, re-signed with stand-ins: valid\n/);
    assert.match(first.stdout, /\n +not repeated: the stored event was verified \(github\) when it came, \d{4}-/);
    assert.match(first.stdout, /\nmessage +t: POST http.*, due at once\n +\{"ref":"refs\/heads\/main"\}\n/);
    assert.equal(await list(), 1);
    assert.equal(target.received.length, 0);
    const missing = await explain(folder, ['01963f0e-6d1c-7000-8000-000000000000', ...admin]);
    assert.equal(missing.code, 5);
    const saved = await command(['events', 'save', id, '--name', 'push', ...admin], { cwd: router.folder });
    assert.equal(saved.code, 0, saved.stderr);
    const sampled = await explain(folder, [saved.stdout.trim(), '--json']);
    assert.equal(sampled.code, 0, sampled.stderr);
    assert.equal(JSON.parse(sampled.stdout).messages[0].body, '{"ref":"refs/heads/main"}');
    await router.stop();
    const offline = await explain(folder, [id, ...admin, '--store', path.join(router.folder, 'data/tidewire.db')]);
    assert.equal(offline.code, 0, offline.stderr);
    assert.deepEqual(await readdir(folder), ['rules']);
  } finally {
    await router.end();
    await target.close();
  }
});

describe('what cannot be explained', () => {
  test('no file, no id: 5; a body without a path: 2; rules with mistakes: 3, and they are printed', async () => {
    const folder = await folderOf({ 'rules/a.lua': 'route "/in" { }', 'body.json': '{}' });
    assert.equal((await explain(folder, ['nothing.json'])).code, 5);
    const pathless = await explain(folder, ['body.json']);
    assert.equal(pathless.code, 2);
    assert.match(pathless.stderr, /--route PATH/);
    const broken = await explain(folder, ['body.json', '--route', '/in']);
    assert.equal(broken.code, 3);
    assert.match(broken.stderr, /rules\/a\.lua:1: route "\/in"/);
  });
});

describe('repl', () => {
  const rules = {
    'rules/a.lua': `
      target "chat" { url = "https://chat.example.com" }
      route "/in/:who" { verify = verify.none "tests", handle = function(event) end }`,
    'body.json': '{"ref": "refs/heads/main", "big": 9007199254740993, "list": [1, {"a": null}]}',
  };

  /** What each line is answered, in the order of the lines. */
  async function answers(words, lines) {
    const folder = await folderOf(rules);
    const child = spawn(BINARY, ['repl', ...words], { cwd: folder, env: bare, stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, said);
    return said.trimEnd().split('\n');
  }
  const withEvent = ['--event', 'body.json', '--route', '/in/me'];
  const answersAre = async (words, pairs) => {
    assert.deepEqual(await answers(words, pairs.map(([line]) => line)), pairs.flatMap(([, said]) => said));
  };

  test('values, views as JSON, names that stay, lines that go on', () => answersAre(withEvent, [
    ['1 + 1', '2'],
    ['event.body.list', '[1, {"a": null}]'],
    ['event.body.big', '9007199254740993'],
    ['event.params', '{"who":"me"}'],
    ['event.route, event.path', '"/in/:who"  "/in/me"'],
    ['event:get("body.list[2].b", "none")', '"none"'],
    ['x = { a = 1 }', []],
    ['x.a', '1'],
    ['for i = 1, 2 do', []],
    ['  print(i)', []],
    ['end', ['1', '2']],
    ['nil', 'nothing (nil)'],
    ['base64.encode("x"), #text.trim " y "', '"eA=="  1'],
  ]));

  test('mistakes are said, with what is near, and the prompt goes on', () => answersAre(withEvent, [
    ['event.bdoy', "error: event has no field 'bdoy', did you mean 'body'?"],
    ['strng.upper("x")', "error: there is no name 'strng' here, did you mean 'string'?"],
    ['target "chta"', 'error: there is no target "chta", did you mean \'chat\'?'],
    ['os', "error: there is no name 'os' here"],
    [')', "error: unexpected symbol near ')'"],
    ['error { a = 1 }', 'error: {"a":1}'],
    ['if true then', 'error: the last lines are not whole'],
  ]));

  test('a line that does not end is ended as a handler is, and the prompt goes on', () => answersAre(withEvent, [
    ['while true do end', 'error: more processor time than it may have: 200 ms (handler_cpu)'],
    ['while true do pcall(function() while true do end end) end', 'error: more processor time than it may have: 200 ms (handler_cpu)'],
    ['return pcall(function() while true do end end)', 'error: more processor time than it may have: 200 ms (handler_cpu)'],
    ['#event.body.list', '2'],
  ]));

  test('the event is what a rule sees', async () => {
    const folder = await folderOf({
      'rules/a.lua': `
        route "/hub/:org" { from = provider.github { secret = secret "HUB" }, handle = function(event) end }
        route "/form" { verify = verify.basic { user = "u", password = secret "P" }, content = "form", handle = function(event) end }`,
      'rules/lib/shared.lua': 'return { seven = 7 }',
      'push.json': JSON.stringify({ route: '/hub/a%20b', method: 'POST', headers: { 'Content-Type': 'application/json', 'X-GitHub-Event': 'push' }, body: { a: { b: 1 }, n: null } }),
      'form.txt': 'a=1&a=2&b=x+y',
      'bad.json': JSON.stringify({ route: '/hub/x', headers: { 'Content-Type': 'application/json' }, text: '{"a": }' }),
    });
    const repl = async (words, lines) => {
      const child = spawn(BINARY, ['repl', ...words], { cwd: folder, env: bare, stdio: ['pipe', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.on('data', (chunk) => (said += chunk));
      child.stdin.end(lines.map((line) => `${line}\n`).join(''));
      assert.equal((await once(child, 'close'))[0], 0);
      return said.trimEnd().split('\n');
    };
    assert.deepEqual(await repl(['--event', 'push.json'], [
      'event.type, event.provider, event.route, event.params.org, event.method, event.attempt',
      'event.headers["x-github-event"], event:all("headers.content-type")',
      'event.body.a, event.body.n, event:get("body.a.c", "none"), event.time == event.received_at',
      'event.body.a.b = 2',
      'event.get("body")',
      'event.id = 1',
      'event.body.a.b.c.d',
      'require("lib.shared").seven, env "CRM_URL", secret "HUB"',
      'kept = crypto.hmac("sha256", secret "HUB", event.raw) == crypto.hmac("sha256", secret "HUB", event.raw) kept = kept and "same"',
      'kept',
    ]), [
      '"push"  "github"  "/hub/:org"  "a b"  "POST"  0',
      '"push"  ["application/json"]',
      '{"b":1}  nothing (nil)  "none"  true',
      'error: a view is read-only: copy(v) gives a table to change, merge and set give a changed view',
      'error: write event:get("body"), with a colon',
      'error: an event is read-only: what it became is in the messages you send',
      "error: attempt to index field 'b' (a number value)",
      '7  "https://crm-url.test"  secret:HUB',
      '"same"',
    ]);
    assert.deepEqual(await repl(['--event', 'form.txt', '--route', '/form'], ['event.body.a, event.body.b, #form.all(event, "a")']), ['"1"  "x y"  2']);
    const bad = await command(['repl', '--event', 'bad.json'], { cwd: folder, env: bare });
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /no rule would see this event: the body is not valid JSON: .* at byte 6/);
  });

  test('nothing is sent, ended, asked or kept', () => answersAre(withEvent, [
    ['send(target "chat", { json = { text = event.body.ref } })', 'nothing is sent here: it would send target chat  {"json":{"text":"refs/heads/main"}}'],
    ['drop "why"; print "not reached"', 'nothing is sent here: it would drop "why"'],
    ['log.info("hi")', 'log info "hi"'],
    ['http.get "https://example.com"', 'error: http.get works in a running router: nothing is asked here'],
    ['kv.set("a", 1)', 'error: kv.set works in a running router: nothing is asked here'],
  ]));

  test('without an event; an event that is not there: 5', async () => {
    await answersAre([], [['event', 'error: there is no event: start with --event ID, or --event FILE'], ['2 * 3', '6']]);
    const folder = await folderOf(rules);
    assert.equal((await command(['repl', '--event', 'nothing.json'], { cwd: folder, env: bare })).code, 5);
  });
});
