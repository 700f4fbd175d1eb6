// The commands as a person and a program meet them: output, exit codes, what is said when something is missing.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { BINARY, command, freePort, Router, SECRET, startTarget, until } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const standard = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`;
const folder = async () => mkdtemp(path.join(os.tmpdir(), 'tidewire-cli-'));

describe('without a router', () => {
  test('help, version, and words that are not there', async () => {
    assert.match((await command([])).stdout, /tidewire send ROUTE SAMPLE/);
    const all = await command(['help', '--all']);
    for (const name of ['run', 'check', 'send', 'listen', 'events', 'reload', 'version']) assert.match(all.stdout, new RegExp(`\\b${name}\\b`));
    assert.match((await command(['help', 'run'])).stdout, /--listen ADDR:PORT/);
    assert.match((await command(['run', '--help'])).stdout, /--listen ADDR:PORT/);
    assert.match((await command(['version'])).stdout, /^tidewire \d+\.\d+\.\d+\n/);
    assert.match(JSON.parse((await command(['version', '--json'])).stdout).sqlite, /^3\./);
    const wrong = await command(['chekc']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /there is no command 'chekc'. Did you mean 'check'\?/);
    assert.equal((await command(['check', '--colour'])).code, 2);
    assert.equal((await command(['run', '--listn', 'x'])).code, 2);
    assert.equal((await command(['run', '/no/such/folder'])).code, 2);
  });

  test('nobody answers: 4, and what to do', async () => {
    const where = await folder();
    for (const words of [['reload'], ['send', '/github', 'push'], ['events']]) {
      const answer = await command([...words, '--folder', where]);
      assert.equal(answer.code, 4, words[0]);
      assert.match(answer.stderr, /no router answers at .*tidewire\.sock.*tidewire run/);
    }
    await rm(where, { recursive: true });
  });

  test('a test in a file of rules is told where tests stand', async () => {
    const where = await folder();
    await writeFile(path.join(where, 'foo.lua'), 'test "x" (function() end)\n');
    const { stdout } = await command(['check', where]);
    assert.match(stdout, /foo\.lua:1: there is no name 'test' here\n[^]*tests stand in files that end in _test\.lua/);
    await rm(where, { recursive: true });
  });

  test('check finds everything in one go and run starts nothing', async () => {
    const where = await folder();
    await writeFile(path.join(where, 'a.lua'), 'x = 1\nlocal t = targt "t" {}\n');
    await writeFile(path.join(where, 'b.lua'), 'route "/b" { handle = function(event) end }\n');
    const checked = await command(['check', where]);
    assert.equal(checked.code, 3);
    for (const words of ["a.lua:1: 'x = …'", "a.lua:2: there is no name 'targt'", "did you mean 'target'?", "b.lua:1: route \"/b\" has neither"]) {
      assert.ok(checked.stdout.includes(words), words);
    }
    const json = JSON.parse((await command(['check', where, '--json'])).stdout);
    assert.equal(json.length, 3);
    assert.deepEqual([json[1].file, json[1].line, json[1].suggestion, json[1].severity], ['a.lua', 2, 'target', 'error']);
    const run = await command(['run', where, '--listen', `127.0.0.1:${await freePort()}`]);
    assert.equal(run.code, 3);
    assert.ok(run.stderr.includes("there is no name 'targt'") && run.stderr.includes('Nothing was started'));
    await rm(where, { recursive: true });
  });

  test('a missing secret is a warning in development and stops production', async () => {
    const where = await folder();
    await writeFile(path.join(where, 'a.lua'), 'local t = target "t" { url = secret "NOT_SET_AT_ALL" }\n');
    const lenient = await command(['check', where]);
    assert.equal(lenient.code, 0);
    assert.match(lenient.stdout, /warning: secret "NOT_SET_AT_ALL" is not set/);
    assert.equal((await command(['check', where, '--strict'])).code, 3);
    assert.equal((await command(['check', where], { env: { ...process.env, TIDEWIRE_ENV: 'production' } })).code, 3);
    assert.equal((await command(['run', where, '--strict', '--listen', `127.0.0.1:${await freePort()}`])).code, 3);
    await rm(where, { recursive: true });
  });

  test('a store that cannot be written: 1 and one line', async () => {
    const where = await folder();
    await writeFile(path.join(where, 'data'), 'not a folder');
    const run = await command(['run', where, '--listen', `127.0.0.1:${await freePort()}`]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /store.*--store/);
    await rm(where, { recursive: true });
  });

  test('the catcher prints and answers', async () => {
    const child = spawn(BINARY, ['listen', '0', '--status', '418', '--delay', '50ms', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.kill('SIGTERM');
    await once(child, 'close');
    const port = await freePort();
    const catcher = spawn(BINARY, ['listen', String(port), '--status', '418', '--delay', '50ms'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    catcher.stdout.on('data', (chunk) => (output += chunk));
    await until('the catcher', () => output.includes('listening on'));
    const answer = await fetch(`http://127.0.0.1:${port}/a?b=1`, { method: 'POST', body: 'hello', headers: { 'idempotency-key': 'k1' } });
    assert.equal(answer.status, 418);
    assert.match(output, /POST \/a\?b=1 .*5 bytes\n +idempotency-key: k1\n +hello/);
    const taken = await command(['listen', String(port)]);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /taken/);
    catcher.kill('SIGINT');
    const [code] = await once(catcher, 'close');
    assert.equal(code, 0);
  });
});

describe('with a router', () => {
  let target;
  let router;
  before(async () => {
    target = await startTarget();
    router = await Router.start({
      'a.lua': `local t = target "t" { url = "${target.url}", private = true }
        route "/github" { from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" }, handle = function(event) send(t, event) end }
        route "/app" { from = provider.standard { secret = secret "APP_SECRET" }, handle = function(event) send(t, event) end }
        route "/own" { verify = verify.hmac { header = "X-Signature", secret = secret "GITHUB_WEBHOOK_SECRET" }, handle = function(event) drop "no" end }`,
    }, { env: { APP_SECRET: standard } });
  });
  after(async () => {
    await router?.end();
    await target?.close();
  });

  test('send signs, sets, waits', async () => {
    const sent = await router.command('send', '/github', 'push', '--set', 'body.pusher.name=zoe', '--wait');
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, /^202 {2}\{"id":"/);
    assert.match(sent.stdout, /delivered {2}→ t {2}200/);
    assert.equal(JSON.parse(target.received.at(-1).body).pusher.name, 'zoe');
    assert.equal((await router.command('send', '/app', 'invoice.paid', '--wait')).code, 0);
    assert.equal((await router.command('send', '/own')).code, 0);
    const bad = await router.command('send', '/github', 'push', '--bad-signature');
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^401/);
    assert.equal((await router.command('send', '/app', 'invoice.paid', '--bad-signature')).code, 1);
    const nowhere = await router.command('send', '/githb', 'push');
    assert.equal(nowhere.code, 5);
    assert.match(nowhere.stderr, /did you mean '\/github'/i);
    const nothing = await router.command('send', '/github', 'psh');
    assert.equal(nothing.code, 5);
    assert.match(nothing.stderr, /did you mean 'push'/i);
  });

  test('events are listed and shown, by the router and without it', async () => {
    await router.command('send', '/own', '--json');
    const list = await router.command('events');
    assert.match(list.stdout, /dropped\t\/own/);
    const lines = (await router.command('events', '--json', '--route', '/own')).stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(lines.length >= 1 && lines.every((event) => event.route === '/own' && event.state === 'dropped'));
    const shown = await router.command('events', 'show', lines[0].id);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /verified: hmac/);
    assert.equal((await router.command('events', 'show', '01963f0e-6d1c-7abc-8def-0123456789ab')).code, 5);
    assert.equal((await router.command('events', '--state', 'odd')).code, 2);
    await router.stop();
    const offline = (await router.command('events', '--json', '--route', '/own')).stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(offline, lines);
    assert.equal((await router.command('events', 'show', lines[0].id, '--json')).code, 0);
    await router.launch();
  });

  test('nothing of a secret or signature is in the log, on a screen or in the store', async () => {
    await router.command('send', '/github', 'push', '--wait');
    const [event] = await router.events('&route=/github');
    const shown = (await router.command('events', 'show', event.id, '--json')).stdout;
    const stored = Buffer.concat(await Promise.all((await readdir(path.join(router.folder, 'data')))
      .map((name) => readFile(path.join(router.folder, 'data', name)))));
    for (const text of [router.said, shown, stored.toString('latin1')]) {
      assert.ok(!text.includes(SECRET) && !text.includes(standard));
    }
    assert.ok(!router.said.includes('sha256=') && !shown.includes('sha256='));
  });
});

const hasTerminals = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0;

test('a reload on a terminal asks before a route in use goes away', { skip: !hasTerminals && 'no pseudo-terminal to be had here' }, async () => {
  const two = 'route "/a" { verify = verify.none "a test", handle = function() drop "x" end }\n'
    + 'route "/b" { verify = verify.none "a test", handle = function() drop "x" end }\n';
  const router = await Router.start({ 'a.lua': two }, { flags: ['--no-watch'] });
  assert.equal((await router.post('/a', '')).status, 202);
  await router.write('a.lua', two.split('\n')[1]);
  const onTerminal = async (reply) => {
    const child = spawn('script', ['-qec', `'${BINARY}' reload --folder '${router.folder}'`, '/dev/null'], { env: router.env, stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    await until('the question', () => output.includes('[y/N]'));
    child.stdin.end(`${reply}\n`);
    await once(child, 'close');
    return output;
  };
  assert.match(await onTerminal('n'), /\/a had events in the last hour and would answer 404/);
  assert.equal((await router.post('/a', '')).status, 202);
  assert.match(await onTerminal('y'), /- route \/a \(answers 404 now\)/);
  assert.equal((await router.post('/a', '')).status, 404);
  await router.end();
});

describe('the rules that come along', () => {
  const names = ['rules', ...readdirSync(path.join(root, 'examples')).map((name) => `examples/${name}`)];
  // what they name without a default; secrets may be missing in development
  const settings = Object.fromEntries(['BILLING', 'BUS', 'CRM', 'DEPLOYER', 'ERP', 'HELPDESK', 'INBOX', 'LEDGER', 'LEGACY', 'REVIEW',
    'TWILIO_PUBLIC', 'WAREHOUSE'].map((name) => [`${name}_URL`, 'https://service.example.com/in']));
  for (const name of names) {
    test(`${name} load without a mistake`, async () => {
      const where = await folder();
      await cp(path.join(root, name), where, { recursive: true });
      const env = { ...process.env, ...settings, TELEGRAM_CHAT_ID: '7' };
      const checked = await command(['check', where], { env });
      assert.equal(checked.code, 0, checked.stdout);
      await rm(where, { recursive: true });
    });
  }

  for (const name of ['README.md', 'lua/README.md']) {
    test(`every rule printed in ${name} loads, and every test passes with the rule before it`, async () => {
      const text = await readFile(path.join(root, name), 'utf8');
      const blocks = [...text.matchAll(/```lua\n([^]*?)```/g)].map((match) => match[1]);
      let rule;
      assert.ok(blocks.length > 0);
      for (const block of blocks) {
        const where = await folder();
        const is_test = block.startsWith('test "');
        if (!is_test) rule = block;
        await writeFile(path.join(where, 'a.lua'), rule);
        if (is_test) await writeFile(path.join(where, 'a_test.lua'), block);
        const checked = await command([is_test ? 'test' : 'check', where]);
        assert.equal(checked.code, 0, checked.stdout);
        await rm(where, { recursive: true });
      }
    });
  }

  test('the rule that the README opens with is rules/hello.lua', async () => {
    const block = (await readFile(path.join(root, 'README.md'), 'utf8')).match(/```lua\n([^]*?)```/)[1];
    assert.ok((await readFile(path.join(root, 'rules/hello.lua'), 'utf8')).includes(block));
  });

  const rulesOf = async (name) => {
    const files = {};
    const where = path.join(root, name);
    for (const file of await readdir(where, { recursive: true })) {
      if (file.endsWith('.lua')) files[file.replace(/^rules\//, '')] = await readFile(path.join(where, file), 'utf8');
    }
    return files;
  };

  test('01: pushes to main reach Slack, other branches do not', async () => {
    const target = await startTarget();
    const rules = await rulesOf('examples/01_github_to_slack');
    for (const name of Object.keys(rules)) rules[name] = rules[name].replace('rate = "1/s",', 'private = true,');
    const router = await Router.start(rules, { env: { SLACK_DEV_WEBHOOK_URL: target.url } });
    assert.equal((await router.command('send', '/github', 'push', '--wait')).code, 0);
    assert.match(JSON.parse(target.received[0].body).text, /\*acme\/hello\*: 1 commit new on main\n• Say hello/);
    const other = await router.command('send', '/github', 'push', '--set', 'body.ref=refs/heads/wip');
    assert.match(other.stdout, /^202/);
    assert.equal((await router.events()).length, 1);
    await router.end();
    await target.close();
  });

  test('02: a failed payment is entered, and becomes a mail', async () => {
    const target = await startTarget();
    const rules = await rulesOf('examples/02_stripe_to_ledger_and_mail');
    for (const name of Object.keys(rules)) {
      rules[name] = rules[name].replace(/url( +)= env "LEDGER_URL"/, 'private = true, url$1= env "LEDGER_URL"')
        .replace(/url( +)= "https:[^"]*"/, `private = true, url$1= "${target.url}/mail"`);
    }
    const router = await Router.start(rules, {
      env: { STRIPE_ENDPOINT_SECRET: SECRET, LEDGER_URL: `${target.url}/ledger`, LEDGER_SIGNING_SECRET: standard, MAIL_TOKEN: 'm' },
    });
    assert.equal((await router.command('send', '/stripe', 'invoice.payment_failed', '--wait')).code, 0);
    assert.deepEqual(target.received.map((one) => one.url).sort(), ['/ledger', '/mail']);
    assert.ok(target.received.find((one) => one.url === '/ledger').headers['webhook-signature']);
    await router.end();
    await target.close();
  });

  test('06: the content chooses the targets, and repetitions go nowhere', async () => {
    const target = await startTarget();
    const rules = await rulesOf('examples/06_fan_out_by_content');
    for (const name of Object.keys(rules)) rules[name] = rules[name].replace(/\{ url = env/g, '{ private = true, url = env');
    const names = { CRM: 'crm', BILLING: 'billing', WAREHOUSE: 'warehouse', REVIEW: 'review' };
    const env = { EVENTS_SECRET: SECRET };
    for (const [name, place] of Object.entries(names)) env[`${name}_URL`] = `${target.url}/${place}`;
    const router = await Router.start(rules, { env });
    assert.equal((await router.command('send', '/events/shop', 'invoice.large', '--wait')).code, 0);
    assert.deepEqual(target.received.map((one) => one.url).sort(), ['/billing', '/crm', '/review', '/warehouse']);
    await router.end();
    await target.close();
  });

  test('08: signups come as one digest for each team, and who comes back is not nudged', async () => {
    const target = await startTarget();
    const rules = await rulesOf('examples/08_dedupe_delay_digest');
    for (const name of Object.keys(rules)) {
      rules[name] = rules[name].replace('{ url =', '{ private = true, url =').replace('"1h"', '"2s"').replace('run_in("2d"', 'run_in("3s"');
    }
    const router = await Router.start(rules, { env: { APP_WEBHOOK_SECRET: standard, CHAT_WEBHOOK_URL: target.url } });
    const signer = new Webhook(standard);
    const post = async (route, body) => {
      const [id, at, text] = [`msg_${body.user}_${target.received.length}_${Date.now()}`, new Date(), JSON.stringify(body)];
      const answer = await router.post(route, text, { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at / 1000)),
        'webhook-signature': signer.sign(id, at, text), 'content-type': 'application/json' });
      assert.equal(answer.status, 202, answer.body);
      return answer;
    };
    const person = (user, team) => ({ user, team, email: `${user}@example.com` });
    await post('/signup', person('ann', 'red'));
    await post('/signup', person('bob', 'red'));
    await post('/signup', person('cyd', 'blue'));
    assert.equal((await post('/signup', person('ann', 'red'))).headers['tidewire-duplicate'], 'true');
    await post('/login', person('bob', 'red'));
    const messages = () => target.received.map((one) => JSON.parse(one.body)).map((one) => `${one.channel}: ${one.text}`).sort();
    await until('two digests and two nudges', () => messages().length >= 4);
    await until('nothing else to wait', async () => (await router.events('&state=waiting')).length === 0);
    assert.deepEqual(messages(), [
      'blue: 1 new signup: cyd@example.com',
      'red: 2 new signups: ann@example.com, bob@example.com',
      'success: ann@example.com has not come back yet.',
      'success: cyd@example.com has not come back yet.',
    ]);
    await router.end();
    await target.close();
  });
});
