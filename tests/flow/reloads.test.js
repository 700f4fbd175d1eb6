// Rules that change in every way in which files change, under a watched folder; and a storm of reloads under load.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { describe, test } from 'node:test';
import { LONG, Router, freePort, startTarget, until } from './support.js';

const ROOT = process.getuid() === 0;
const NOBODY = 65534;
const open = 'verify = verify.none "a test"';
const say = (word, route = '/say') => `route "${route}" { ${open}, handle = function(event) send(t, { text = "${word}" }) end }`;
const target = (url, name = 't', more = '') => `local t = target "${name}" { url = "${url}", private = true${more} }\n`;

/**
 * A watched router beside which a client asks all the time: none of its requests may fail, whatever happens to the files.
 * `files(url)` gives the rules; lib/t.lua has the target.
 */
async function underLoad(t, files, body, options = {}) {
  const catcher = await startTarget();
  const common = {
    'lib/t.lua': `${target(catcher.url)}return t\n`,
    'steady.lua': `local t = require "lib.t"\n${say('steady', '/steady')}`,
  };
  const rules = options.withoutSteady ? files(catcher.url) : { ...common, ...files(catcher.url) };
  const router = await Router.start(rules, { flags: ['--watch'], ...options });
  const steady = options.steady ?? '/steady';
  const answers = new Map();
  let stop = false;
  const client = (async () => {
    while (!stop) {
      const { status } = await router.post(steady, '').catch((error) => ({ status: error.code ?? error.message }));
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 5)); // a load, no synchronisation
    }
  })();
  const context = {
    catcher,
    router,
    rules: path.join(router.folder, 'rules'),
    /** What the handler of this route says now. */
    async said(route = '/say') {
      const answer = await router.post(route, '');
      if (answer.status !== 202) return answer.status;
      const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done');
      return event.deliveries[0].message;
    },
    async says(word, route = '/say') {
      await until(`${route} to say ${word}`, async () => (await context.said(route)) === word);
    },
    async generation() {
      return (await router.status()).generation;
    },
    /** The files are a mistake: said once by the watcher, said again with exit code 3, and nothing has changed. */
    async isRefused(what, before) {
      await until(`the report of ${what}`, () => what.test(router.output.slice(before)), 30000);
      const reload = await router.command('reload');
      assert.equal(reload.code, 3, reload.stdout + reload.stderr);
      assert.match(reload.stdout, what);
      assert.match(reload.stdout, /not loaded, generation \d+ keeps running/);
      assert.match(reload.stdout, /^The running rules were kept \(generation \d+, loaded \d\d:\d\d:\d\d\)\. Nothing was changed\.$/m);
    },
    async isUnchanged(generation) {
      const reload = await router.command('reload');
      assert.equal(reload.code, 0, reload.stdout + reload.stderr);
      assert.match(reload.stdout, /nothing has changed/);
      assert.equal(await context.generation(), generation);
    },
  };
  try {
    await body(context);
    stop = true;
    await client;
    assert.deepEqual([...answers.keys()], [202], JSON.stringify([...answers]));
    assert.ok(!router.output.includes('"message":"lua state abandoned"'));
  } finally {
    stop = true;
    await client;
    await catcher.close();
    await router.end();
  }
}

const saying = (word) => `local t = require "lib.t"\n${say(word)}`;

describe('a watched folder takes up', () => {
  test('a file renamed over the old one', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ rules, says }) => {
    for (const word of ['two', 'three', 'four']) {
      await writeFile(path.join(rules, 'say.new'), saying(word));
      await rename(path.join(rules, 'say.new'), path.join(rules, 'say.lua'));
      await says(word);
    }
  }));

  test('a file that is unlinked and made again', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ rules, said, says }) => {
    await unlink(path.join(rules, 'say.lua'));
    await until('the route to be gone', async () => (await said()) === 404);
    await writeFile(path.join(rules, 'say.lua'), saying('two'));
    await says('two');
    await unlink(path.join(rules, 'say.lua'));
    await writeFile(path.join(rules, 'say.lua'), saying('three'));
    await says('three');
  }));

  test('a file that is emptied, only when it stays so', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ rules, said, says }) => {
    await writeFile(path.join(rules, 'say.lua'), ''); // as a copy over a slow line begins
    for (const end = Date.now() + 500; Date.now() < end;) assert.notEqual(await said(), 404);
    await writeFile(path.join(rules, 'say.lua'), saying('two'));
    await says('two');
    await writeFile(path.join(rules, 'say.lua'), '');
    await until('the route to be gone', async () => (await said()) === 404);
  }));

  test('a file in a folder made later, and that folder renamed', (t) => underLoad(t, () => ({}), async ({ rules, said, says, router }) => {
    await router.write('team/deep/say.lua', saying('one'));
    await says('one');
    await router.write('team/deep/say.lua', saying('two'));
    await says('two');
    await rename(path.join(rules, 'team'), path.join(rules, 'group'));
    await router.write('group/deep/say.lua', saying('three'));
    await says('three');
    await rm(path.join(rules, 'group'), { recursive: true });
    await until('the route to be gone', async () => (await said()) === 404);
  }));

  test('git checkout of many files', (t) => underLoad(t, () => ({}), async ({ rules, router, said, says, generation }) => {
    const git = (...words) => execFileSync('git', words, { cwd: rules, stdio: 'pipe', env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' } });
    const commit = async (branch, count) => {
      git('checkout', '-q', '-b', branch);
      for (let i = 0; i < count; i++) await router.write(`many/r${i}.lua`, `local t = require "lib.t"\n${say(branch, `/r${i}`)}`);
      git('add', '-A');
      git('commit', '-q', '-m', branch);
    };
    git('init', '-q');
    await commit('first', 60);
    await commit('second', 100);
    await says('second', '/r99');
    for (const [branch, count] of [['first', 60], ['second', 100], ['first', 60]]) {
      await router.command('reload'); // returns when all workers have what is there
      const before = await generation();
      git('checkout', '-q', branch);
      await says(branch, '/r0');
      await says(branch, `/r${count - 1}`);
      await until('what is only in the other branch to be gone', async () => (count === 60 ? (await said('/r99')) === 404 : true));
      assert.ok((await generation()) <= before + 3, 'a checkout is not a generation per file');
    }
  }));

  const mounts = ROOT && spawnSync('unshare', ['-m', 'true']).status === 0 && spawnSync('nsenter', ['--version']).status === 0;
  test('a bind mount over the folder, and its end', { skip: !mounts && 'needs root and unshare -m' }, (t) =>
    underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ rules, router, says }) => {
      const other = path.join(router.folder, 'other');
      execFileSync('cp', ['-r', rules, other]);
      await writeFile(path.join(other, 'say.lua'), saying('mounted'));
      const inside = (...words) => execFileSync('nsenter', ['-t', String(router.process.pid), '-m', ...words]);
      await says('one');
      inside('mount', '--bind', other, rules);
      await says('mounted');
      await writeFile(path.join(other, 'say.lua'), saying('changed'));
      await says('changed');
      inside('umount', rules);
      await says('one');
    }, { wrap: ['unshare', '-m'] }));

  test('what editors leave beside a file is none of its business', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ rules, router, says, generation, isUnchanged }) => {
    await says('one');
    const now = await generation();
    for (const name of ['.say.lua.swp', '.say.lua.swx', 'say.lua~', '4913', '#say.lua#', 'say.lua.tmp', 'say.lua.orig', '.goutputstream-X1', '.say.lua'])
      await writeFile(path.join(rules, name), 'no (rule');
    await symlink('user@host.example.com.1234:1700000000', path.join(rules, '.#say.lua')); // Emacs' lock: it points nowhere
    await isUnchanged(now);
    for (const name of ['4913', '.say.lua.swp', '.#say.lua']) await unlink(path.join(rules, name));
    await isUnchanged(now);
    await writeFile(path.join(rules, 'say.lua'), saying('one')); // saved without a change
    await isUnchanged(now);
    assert.ok(!router.output.includes('not loaded'));
    await rename(path.join(rules, 'say.lua'), path.join(rules, 'say.lua~')); // as vim saves with a backup
    await writeFile(path.join(rules, 'say.lua'), saying('two'));
    await says('two');
    await writeFile(path.join(rules, 'say.lua.tmp'), saying('three'));
    await rename(path.join(rules, 'say.lua.tmp'), path.join(rules, 'say.lua'));
    await says('three');
  }));

  test('CRLF line ends and a byte order mark, and says the right lines of them', (t) => underLoad(t, () => ({}), async ({ router, says, isRefused }) => {
    const dressed = (text) => `\ufeff${text.replaceAll('\n', '\r\n')}\r\n`;
    await router.write('say.lua', dressed(saying('one')));
    await says('one');
    const before = router.output.length;
    await router.write('say.lua', dressed(`${saying('two')}\nrout "/x" {}`));
    await isRefused(/rules\/say\.lua:3: there is no name 'rout' here/, before);
    await router.write('say.lua', dressed(saying('three')));
    await says('three');
  }));

  test('a mistake that is taken back: it is said, and so is the same mistake when it comes again', (t) =>
    underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, said, generation }) => {
      const isWell = async () => !JSON.stringify((await router.status()).problems).includes('the rule files have mistakes');
      for (let round = 0; round < 2; round++) {
        const before = router.output.length;
        await router.write('say.lua', 'no (rule of ours');
        await until('the mistake', () => /✗ not loaded, generation 1 keeps running/.test(router.output.slice(before)));
        assert.equal(await isWell(), false);
        await router.write('say.lua', saying('one'));
        await until('its end', () => /✓ nothing has changed, generation 1 keeps running/.test(router.output.slice(before)));
        assert.equal(await isWell(), true);
      }
      assert.equal(await said(), 'one');
      assert.equal(await generation(), 1);
    }));

  test('a name that is not UTF-8', { skip: process.platform !== 'linux' }, (t) => underLoad(t, () => ({}), async ({ rules, router, says, isRefused }) => {
    const name = Buffer.concat([Buffer.from(`${rules}/caf`), Buffer.from([0xe9]), Buffer.from('.lua')]); // Latin-1
    await writeFile(name, saying('one'));
    await says('one');
    JSON.parse((await router.get('/v1/status')).body);
    const before = router.output.length;
    await writeFile(name, 'count = 0');
    await isRefused(/rules\/caf[^\n]*\.lua:1: 'count = …' would make a global variable/, before);
    const json = await router.command('reload', '--json');
    assert.equal(JSON.parse(json.stdout).problems[0].line, 1);
    await unlink(name);
    assert.equal((await router.command('reload')).code, 0);
  }));
});

describe('symlinks', () => {
  /** ..data → ..N, swapped by the rename of another symlink over it. */
  async function publish(folder, n, files) {
    await mkdir(path.join(folder, `..${n}`), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, `..${n}`, name), text);
    await symlink(`..${n}`, path.join(folder, '..data_tmp'));
    await rename(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
  }

  test('files that point through ..data, as Kubernetes mounts them', (t) => underLoad(t, () => ({}), async ({ rules, router, says, isRefused }) => {
    await publish(rules, 1, { 'say.lua': saying('one') });
    await symlink('..data/say.lua', path.join(rules, 'say.lua'));
    await says('one');
    for (const [n, word] of [[2, 'two'], [3, 'three']]) {
      await publish(rules, n, { 'say.lua': saying(word) });
      await says(word);
      await rm(path.join(rules, `..${n - 1}`), { recursive: true });
    }
    const before = router.output.length;
    await publish(rules, 4, { 'say.lua': 'count = 0' });
    await isRefused(/rules\/say\.lua:1: 'count = …'/, before);
    await publish(rules, 5, {}); // the file is missing: what points to it points nowhere
    await isRefused(/say\.lua cannot be read: No such file/, router.output.length - 1);
    await publish(rules, 6, { 'say.lua': saying('six') });
    await says('six');
  }));

  test('rules that are a symlink themselves, swapped to another folder', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, says, isRefused }) => {
    const release = async (n, text) => {
      execFileSync('cp', ['-r', `${router.folder}/releases/1`, `${router.folder}/releases/${n}`]);
      await writeFile(`${router.folder}/releases/${n}/say.lua`, text);
      await symlink(`releases/${n}`, path.join(router.folder, 'rules.new'));
      await rename(path.join(router.folder, 'rules.new'), rules);
    };
    await release(2, saying('two'));
    await says('two');
    await release(3, saying('three'));
    await says('three');
    await writeFile(`${router.folder}/releases/3/say.lua`, saying('edited'));
    await says('edited');
    const before = router.output.length;
    await release(4, 'count = 0');
    await isRefused(/rules\/say\.lua:1: 'count = …'/, before);
    await release(5, saying('five'));
    await says('five');
  }, {
    prepare: async (folder) => {
      await mkdir(path.join(folder, 'releases'));
      await rename(path.join(folder, 'rules'), path.join(folder, 'releases', '1'));
      await symlink('releases/1', path.join(folder, 'rules'));
    },
  }));

  test('a file that is a symlink out of the folder, when what it points to changes', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, says }) => {
    await writeFile(path.join(router.folder, 'shared.txt'), saying('two'));
    await unlink(path.join(rules, 'say.lua'));
    await symlink('../shared.txt', path.join(rules, 'say.lua'));
    await says('two');
    await writeFile(path.join(router.folder, 'shared.txt'), saying('three'));
    await says('three');
  }));
});

describe('the folder', () => {
  test('removed keeps the rules, is said, and put back is taken up', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, said, says, isRefused }) => {
    await writeFile(path.join(router.folder, 'other.lua'), 'no (rule of ours');
    const before = router.output.length;
    await rename(rules, `${rules}.away`);
    await isRefused(/rules cannot be read: No such file or directory/, before);
    assert.equal(await said(), 'one');
    await rename(`${rules}.away`, rules);
    await writeFile(path.join(rules, 'say.lua'), saying('two'));
    await says('two');
    await rm(rules, { recursive: true });
    await isRefused(/rules cannot be read: No such file or directory/, router.output.length - 1);
    await router.write('lib/t.lua', `${target('http://127.0.0.1:1')}return t`);
    await router.write('steady.lua', `local t = require "lib.t"\n${say('steady', '/steady')}`);
    await router.write('say.lua', `route "/say" { ${open}, handle = function() drop "three" end }`);
    await until('the new rules', async () => {
      const answer = await router.post('/say', '');
      const event = await until('the event', () => router.event(answer.headers['tidewire-event-id']));
      return event.state === 'dropped';
    });
  }));

  test('without rules/ in it, with the store inside, is watched while events are stored', (t) => underLoad(t, () => ({}), async ({ router, said, says }) => {
    assert.equal(await said('/flat'), 'one');
    await writeFile(path.join(router.folder, 'flat.lua'), target('http://127.0.0.1:1') + say('one', '/unused'));
    const text = (word) => readFileSync(path.join(router.folder, 'all.lua'), 'utf8').replace(/text = "\w+" \}\) end \} -- flat/, `text = "${word}" }) end } -- flat`);
    await unlink(path.join(router.folder, 'flat.lua'));
    await writeFile(path.join(router.folder, 'all.lua'), text('two'));
    await says('two', '/flat');
  }, {
    prepare: async (folder) => {
      const steady = readFileSync(path.join(folder, 'rules', 'steady.lua'), 'utf8').replace(/^.*\n/, '');
      const lib = readFileSync(path.join(folder, 'rules', 'lib', 't.lua'), 'utf8').replace(/return t\n/, '');
      await rm(path.join(folder, 'rules'), { recursive: true });
      await writeFile(path.join(folder, 'all.lua'), `${lib}${steady}\n${say('one', '/flat')} -- flat\n`);
    },
  }));

  const drops = spawnSync('setpriv', ['--version']).status === 0;
  test('with a file that may not be read', { skip: ROOT && !drops && 'root reads everything and setpriv is not there' }, (t) =>
    underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, said, says, isRefused }) => {
      const file = path.join(rules, 'say.lua');
      const before = router.output.length;
      chmodSync(file, 0);
      await isRefused(/say\.lua cannot be read: Permission denied/, before);
      assert.equal(await said(), 'one');
      chmodSync(file, 0o644);
      await writeFile(file, saying('two'));
      await says('two');
      chmodSync(path.join(rules, 'lib'), 0);
      await isRefused(/lib cannot be read: Permission denied/, router.output.length - 1);
      chmodSync(path.join(rules, 'lib'), 0o755);
      await writeFile(file, saying('three'));
      await says('three');
    }, !ROOT ? {} : {
      wrap: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
      prepare: async (folder) => chownSync(folder, NOBODY, NOBODY),
    }));

  test('with a file of several MB, or with 2,000 files', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, said, says, isRefused }) => {
    const before = router.output.length;
    await router.write('big.lua', `local x = [[\n${'x'.repeat(79).concat('\n').repeat(50000)}]]\n`);
    await isRefused(/big\.lua is too large: a rule file has at most 1024 KiB/, before);
    assert.equal(await said(), 'one');
    await unlink(path.join(rules, 'big.lua'));
    await writeFile(path.join(rules, 'say.lua'), saying('two'));
    await says('two');
    await mkdir(path.join(rules, 'many'));
    for (let i = 0; i < 2000; i++) await writeFile(path.join(rules, 'many', `m${i}.lua`), say(`m${i}`, `/m${i}`).replace(/^/, 'local t = require "lib.t"\n'));
    await says('m1999', '/m1999');
    await says('m0', '/m0'); // the other worker may be a moment later
    const reload = await router.command('reload');
    assert.equal(reload.code, 0, reload.stdout);
    await rm(path.join(rules, 'many'), { recursive: true });
    await until('they are gone', async () => (await said('/m0')) === 404);
  }));
});

describe('what waits for a name that is gone', () => {
  const failing = `route "/wait" { ${open}, retry = { attempts = 50, first = "2s", factor = 1 }, handle = function(event) error("not yet") end }`;
  const sum = (status, name) => status.workers.reduce((all, worker) => all + worker[name], 0);

  test('runs when the route returns, and holds up no other route meanwhile', (t) => underLoad(t, () => ({
    'wait.lua': failing,
    'again.lua': `local t = require "lib.t"\nroute "/again" { ${open}, retry = { attempts = 5, first = "100ms", factor = 1 },
      handle = function(event) if event.attempt < 2 then error("once more") end send(t, { text = "again" }) end }`,
  }), async ({ router, rules, catcher }) => {
    const waiting = [];
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 100; i++) waiting.push((await router.post('/wait', '')).headers['tidewire-event-id']);
    }));
    await unlink(path.join(rules, 'wait.lua'));
    await router.command('reload');
    assert.match(router.output, /- route \/wait \(answers 404 now; 800 events wait for it until it returns\)/); // to the command, or by the watcher
    assert.equal((await router.post('/wait', '')).status, 404);
    await until('all to be due', async () => Date.parse((await router.event(waiting.at(-1))).next_at) < Date.now());
    const id = (await router.post('/again', '')).headers['tidewire-event-id'];
    const began = Date.now();
    await router.eventIn(id, 'done');
    assert.ok(Date.now() - began < 2500, `another route's tries waited ${Date.now() - began} ms`);
    await until('status to show them', async () => (await router.status()).without_route === waiting.length);
    for (const one of [waiting[0], waiting.at(-1)]) assert.equal((await router.event(one)).state, 'waiting');
    await router.write('wait.lua', `local t = require "lib.t"\nroute "/wait" { ${open}, handle = function(event) send(t, { text = event.id }) end }`);
    await router.command('reload');
    const ended = () => new Set(catcher.received.map((one) => one.body.toString()));
    await until('all to be delivered', () => waiting.every((one) => ended().has(one)));
    await until('status to show none', async () => (await router.status()).without_route === 0);
    assert.equal(catcher.received.filter((one) => waiting.includes(one.body.toString())).length, waiting.length, 'each is sent once');
  }));

  test('goes out when the target returns', (t) => underLoad(t, () => ({}), async ({ router, rules, catcher }) => {
    const out = (name, url) => `${target(url, name, ', retry = { first = "100ms", factor = 1 }')}
      route "/out" { ${open}, handle = function(event) send(t, { text = event.id }) end }`;
    const closed = `http://127.0.0.1:${await freePort()}`;
    await router.write('out.lua', out('erp', closed));
    await router.command('reload');
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push((await router.post('/out', '')).headers['tidewire-event-id']);
    await until('tries to fail', async () => (await Promise.all(ids.map((id) => router.event(id)))).every((one) => one.deliveries[0].attempts > 0));
    await router.write('out.lua', out('erp2', catcher.url));
    await router.command('reload');
    assert.match(router.output, /\+ target erp2/); // said to the command, or by the watcher if that was first
    assert.match(router.output, /- target erp /);
    const other = (await router.post('/out', '')).headers['tidewire-event-id'];
    await router.eventIn(other, 'done');
    const gone = (await router.status()).workers.flatMap((worker) => worker.targets.filter((one) => one.target === 'erp'));
    assert.ok(gone.length > 0 && gone.every((one) => one.gone && one.sending === 0));
    for (const id of ids) assert.equal((await router.event(id)).deliveries[0].state, 'waiting');
    await router.write('out.lua', out('erp', catcher.url));
    await router.command('reload');
    for (const id of ids) await router.eventIn(id, 'done');
    for (const id of ids) assert.equal(catcher.received.filter((one) => one.body.toString() === id).length, 1);
  }));

  test('and what is on its way while its target goes is recorded as it ends', (t) => underLoad(t, () => ({}), async ({ router, catcher }) => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const slow = http.createServer((incoming, response) => incoming.resume().on('end', () => held.then(() => response.end())));
    await new Promise((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const out = (name) => `${target(`http://127.0.0.1:${slow.address().port}`, name)}${say('slow', '/out')}`;
    await router.write('out.lua', out('one'));
    await router.command('reload');
    const id = (await router.post('/out', '')).headers['tidewire-event-id'];
    await until('it to be on its way', async () => (await router.status()).workers.some((worker) => worker.targets.some((one) => one.target === 'one' && one.sending > 0)));
    for (const name of ['two', 'three', 'four', 'five']) {
      await router.write('out.lua', out(name));
      await router.command('reload');
    }
    release();
    await router.eventIn(id, 'done');
    slow.closeAllConnections();
    slow.close();
    assert.ok(catcher.received.length > 0);
  }));
});

test('rules that one worker cannot build run in none', (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, said, generation }) => {
  // the address of a table is another one in each state, so some load it and some do not
  const fickle = (n) => `local sum = 0\nfor digit in tostring({}):match("0x(%x+)"):gmatch("%x") do sum = sum + tonumber(digit, 16) end\n`
    + `if sum % 2 == 0 then error("not in this one, ${n}") end\n`;
  let refused = 0;
  for (let i = 0; i < 60 && refused < 3; i++) {
    await router.write('say.lua', saying(`plain${i}`));
    await router.command('reload');
    const before = await generation();
    await router.write('say.lua', fickle(i) + saying(`n${i}`));
    const reload = await router.command('reload');
    if (reload.code === 0) continue;
    assert.match(reload.stdout, /rules\/say\.lua:3: not in this one/);
    if (/not loaded by every worker/.test(reload.stdout)) refused++;
    assert.match(reload.stdout, new RegExp(`generation ${before} keeps running`));
    assert.equal(await generation(), before);
    for (let n = 0; n < 12; n++) assert.equal(await said(), `plain${i}`); // a new connection each: both workers take some
  }
  assert.ok(refused > 0);
}, { flags: ['--no-watch'] }));

describe('a request whose body comes while the rules change', () => {
  const secret = 'ROUTE_TEST_SECRET';
  const signed = (more = '') => `local t = require "lib.t"
route "/signed" { verify = verify.hmac { header = "x-sign", secret = secret "${secret}" }, ${more} handle = function(event) send(t, event) end }`;

  /** Sends a head and half a body; gives back what sends the rest and waits for the answer. */
  async function begin(router, body, options) {
    const outgoing = http.request({ host: '127.0.0.1', port: router.port, method: 'POST', agent: false, ...options });
    const answered = new Promise((resolve, reject) => {
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => incoming.resume().on('end', () => resolve(incoming)));
    });
    outgoing.write(body.slice(0, 4));
    await new Promise((resolve) => outgoing.once('socket', (socket) => (socket.connecting ? socket.once('connect', resolve) : resolve())));
    return async () => {
      outgoing.end(body.slice(4));
      return answered;
    };
  }

  test('is judged by the rules in force', (t) => underLoad(t, () => ({ 'signed.lua': signed() }), async ({ router, rules, catcher }) => {
    const body = 'a body in two pieces';
    const hash = createHmac('sha256', 'of this test').update(body).digest('hex');
    const good = { path: '/signed', headers: { 'x-sign': hash, 'content-length': body.length } };
    const pieces = [];
    for (let i = 0; i < 8; i++) pieces.push(await begin(router, body, good));
    const bad = await begin(router, body, { ...good, headers: { ...good.headers, 'x-sign': hash.replace(/^./, (c) => (c === '0' ? '1' : '0')) } });
    const now = (await router.post('/steady', '')).status; // its answer comes after what was sent before it was read
    assert.equal(now, 202);
    for (let i = 0; i < 5; i++) {
      await router.write('signed.lua', `${signed()}\n-- ${i}`);
      assert.equal((await router.command('reload')).code, 0);
    }
    for (const finish of pieces.slice(0, 6)) assert.equal((await finish()).statusCode, 202);
    assert.equal((await bad()).statusCode, 401);
    await until('all to be delivered', () => catcher.received.filter((one) => one.body.toString() === body).length === 6);
    await router.write('signed.lua', signed('methods = { "PUT" },'));
    await router.command('reload');
    const answer = await pieces[6]();
    assert.deepEqual([answer.statusCode, answer.headers.allow], [405, 'PUT']);
    await unlink(path.join(rules, 'signed.lua'));
    await router.command('reload');
    assert.equal((await pieces[7]()).statusCode, 404);
  }, { env: { [secret]: 'of this test' } }));
});

describe('a rule that cannot be loaded changes nothing but the report:', () => {
  const twice = `local t = require "lib.t"\n${say('a', '/twice')}\n`;
  const cases = {
    'it raises': [{ 'bad.lua': 'local x = 1\nerror("not today")' }, /rules\/bad\.lua:2: not today/],
    'it raises what is no text': [{ 'bad.lua': 'error({})' }, /rules\/bad\.lua.*table/],
    'lib raises': [{ 'lib/bad.lua': '\nlocal x = nil + 1', 'bad.lua': 'require "lib.bad"' }, /rules\/lib\/bad\.lua:2: attempt to perform arithmetic/],
    'it loops': [{ 'bad.lua': '\nwhile true do end' }, /rules\/bad\.lua:2: loading took too long/],
    'lib loops': [{ 'lib/bad.lua': 'local x\n\nwhile true do x = 1 end', 'bad.lua': 'require "lib.bad"' }, /rules\/lib\/bad\.lua:3: loading took too long/],
    'it loops in pcall': [{ 'bad.lua': 'while true do pcall(function() while true do end end) end' }, /rules\/bad\.lua:1: loading took too long/],
    'it builds an endless string': [{ 'bad.lua': 'local s = "x"\nwhile true do s = s .. s end' }, /rules\/bad\.lua.*not enough memory/],
    'it builds an endless table': [{ 'bad.lua': 'local t, i = {}, 0\nwhile true do i = i + 1; t[i] = {} end' }, /rules\/bad\.lua.*(not enough memory|too long|does not come back)/],
    'it looks for a pattern without end': [{ 'bad.lua': 'local x = (("a"):rep(5000)):find((".-"):rep(12) .. "b")' }, /rules\/bad\.lua:1: (loading does not come back|pattern too complex)/],
    'it calls itself without end': [{ 'bad.lua': 'local function f() return 1 + f() end\nf()' }, /rules\/bad\.lua(:\d)?: stack overflow/],
    'a route is declared twice in a file': [{ 'bad.lua': `${twice}${say('b', '/twice')}` }, /rules\/bad\.lua:3 and rules\/bad\.lua:2 both declare route "\/twice"/],
    'a route is declared twice in two files': [{ 'bad.lua': twice, 'worse.lua': `\n${twice}` }, /rules\/worse\.lua:3 and rules\/bad\.lua:2 both declare route "\/twice"/],
    'it is compiled code': [{ 'bad.lua': Buffer.from([0x1b, 0x4c, 0x4a, 2, 0]) }, /rules\/bad\.lua:1: .*compiled code/],
    'it is not Lua': [{ 'bad.lua': Buffer.from([0, 0xff, 0xfe, 7]) }, /rules\/bad\.lua:1: unexpected symbol/],
  };
  // ThreadSanitizer delivers no signal inside code that it does not know, so what only a jump can end does not end there.
  const skipped = process.env.TIDEWIRE_PRESET === 'tsan' ? ['it looks for a pattern without end'] : [];
  for (const [name, [files, report]] of Object.entries(cases)) {
    test(name, { skip: skipped.includes(name) }, (t) => underLoad(t, () => ({ 'say.lua': saying('one') }), async ({ router, rules, said, says, generation, isRefused }) => {
      await says('one');
      const now = await generation();
      const before = router.output.length;
      for (const [file, text] of Object.entries(files)) await router.write(file, text);
      await isRefused(report, before);
      assert.equal(await said(), 'one');
      assert.equal(await generation(), now);
      for (const file of Object.keys(files)) await unlink(path.join(rules, file));
      await router.write('say.lua', saying('two'));
      await says('two');
      await until('all workers to have them', async () => (await generation()) === now + 1);
    }));
  }
});

describe('a storm of reloads', () => {
  const RELOADS = LONG ? 1000 : 100;
  const WARM = LONG ? 100 : 30; // reloads after which memory and descriptors have their size
  const SLOW = LONG ? '30s' : '3s'; // as long as handler_time lets one wait
  const SLOW_MAX = 100; // handlers that wait so long: all of them run side by side in two workers' reruns
  const CLIENTS = 4;
  const BROKEN_EVERY = 10;

  /** Files of generation n: the number stands in two of them, and a handler brings both together. */
  const files = (n, broken) => ({
    'lib/number.lua': `return ${n}\n`,
    'storm.lua': `local t = require "lib.t"\nlocal number = require "lib.number"\nlocal own = ${n}\n`
      + ['fast', 'slow'].map((name) => `route "/${name}" { ${open}, handle = function(event)
           local before = number
           sleep "${name === 'fast' ? '10ms' : SLOW}"
           send(t, { json = { id = event.id, own = own, number = number, before = before } })
         end }\n`).join('')
      + (broken ? ['error("broken")', 'rout "/x" {}', 'local = 1', 'count = 0'][n / BROKEN_EVERY % 4] : ''),
  });

  /** All files of a generation at once: `..data` is renamed over. */
  async function publish(rules, n, broken) {
    await mkdir(path.join(rules, `..${n}`, 'lib'), { recursive: true });
    for (const [name, text] of Object.entries(files(n, broken))) await writeFile(path.join(rules, `..${n}`, name), text);
    await writeFile(path.join(rules, `..${n}`, 'lib', 't.lua'), await readFile(path.join(rules, '..0', 'lib', 't.lua')));
    await symlink(`..${n}`, path.join(rules, '..data_tmp'));
    await rename(path.join(rules, '..data_tmp'), path.join(rules, '..data'));
    if (n > 3) await rm(path.join(rules, `..${n - 3}`), { recursive: true });
  }

  function measure(pid) {
    const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    const mappings = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').length;
    return { rss: Math.round(rss), mappings, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  }

  test(`${RELOADS} of them, one in ten broken, lose nothing, mix nothing and leave nothing behind`, async () => {
    const catcher = await startTarget();
    const router = await Router.start({}, {
      flags: ['--watch'],
      prepare: async (folder) => {
        const rules = path.join(folder, 'rules');
        await mkdir(path.join(rules, '..0', 'lib'), { recursive: true });
        await writeFile(path.join(rules, '..0', 'lib', 't.lua'), `${target(catcher.url, 't', ', concurrency = 64')}return t\n`);
        for (const [name, text] of Object.entries(files(0, false))) await writeFile(path.join(rules, '..0', name), text);
        await symlink('..0', path.join(rules, '..data'));
        for (const name of ['lib', 'storm.lua']) await symlink(`..data/${name}`, path.join(rules, name));
      },
    });
    const rules = path.join(router.folder, 'rules');
    const { pid } = await router.status();
    const accepted = [];
    const failed = [];
    let slow = 0;
    let stop = false;
    let most = 0;
    let warm;
    router.agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; !stop; i++) {
        const isSlow = client === 0 && i % 10 === 5 && slow < SLOW_MAX && ++slow;
        const answer = await router.post(isSlow ? '/slow' : '/fast', '').catch((error) => ({ status: error.message, headers: {} }));
        if (answer.status === 202) accepted.push(answer.headers['tidewire-event-id']);
        else failed.push(answer.status);
        await new Promise((resolve) => setTimeout(resolve, 10)); // a load, no synchronisation
      }
    });
    const refusals = () => router.output.split('not loaded, generation').length - 1;
    const ask = () => router.get('/v1/rules:reload', 'POST');
    try {
      for (let n = 1; n <= RELOADS; n++) {
        const broken = n % BROKEN_EVERY === 0;
        const before = (await router.status()).generation;
        const refused = refusals();
        await publish(rules, n, broken);
        let answer;
        if (n % 3 === 0 || n % 7 === 0) answer = ask(); // n % 3 === 2: only the watcher
        if (n % 3 === 1 || n % 7 === 0) router.process.kill('SIGHUP');
        if (n % 20 === 7) await Promise.all(Array.from({ length: 5 }, ask));
        if (answer) assert.equal((await answer).status, broken ? 422 : 200);
        const status = await until(`reload ${n}`, async () => {
          const now = await router.status();
          most = Math.max(most, ...now.workers.map((worker) => worker.generations_alive));
          return (broken ? refusals() > refused : now.generation > before) && now;
        });
        assert.equal(status.generation, broken ? before : before + 1, `generation after reload ${n}`);
        if (n === WARM) warm = measure(pid);
      }
      const end = measure(pid);
      stop = true;
      await Promise.all(clients);
      assert.deepEqual(failed, []);
      assert.equal((await router.status()).pid, pid);
      const messages = () => catcher.received.map((one) => JSON.parse(one.body.toString()));
      await until('every event to be delivered', async () => new Set(messages().map((one) => one.id)).size === accepted.length || new Promise((resolve) => setTimeout(resolve, 50, false)), 90000);
      await until('nothing to wait', async () => (await router.events('&state=waiting')).length + (await router.events('&state=delivering')).length === 0);
      const times = new Map();
      for (const { id, own, number, before } of messages()) {
        times.set(id, (times.get(id) ?? 0) + 1);
        assert.ok(own === number && own === before, `rules of ${own} and ${number} in one run`);
      }
      assert.deepEqual([...times].filter(([, count]) => count !== 1), []);
      assert.deepEqual(accepted.filter((id) => !times.has(id)), []);
      assert.ok(most >= 2 && most <= 3, `${most} generations alive in a worker`);
      await until('the former generations to be gone', async () => (await router.status()).workers.every((worker) => worker.generations_alive === 1));
      console.log(`# ${accepted.length} events, ${slow} slow; after ${WARM}: ${JSON.stringify(warm)}, after ${RELOADS}: ${JSON.stringify(end)}, at rest: ${JSON.stringify(measure(pid))}`);
      assert.ok(end.descriptors <= warm.descriptors + 8, `descriptors: ${warm.descriptors}, then ${end.descriptors}`);
      if (!['asan', 'tsan'].includes(process.env.TIDEWIRE_PRESET)) { // which keep what was freed
        assert.ok(end.mappings <= warm.mappings + 40, `mappings: ${warm.mappings}, then ${end.mappings}`);
        const stored = accepted.length * 0.7 / 1024; // the store's page cache still fills, up to some 30 MiB
        assert.ok(end.rss <= warm.rss * 1.1 + 4 + stored, `memory: ${warm.rss} MiB, then ${end.rss}`);
      }
    } finally {
      stop = true;
      await Promise.all(clients);
      router.agent.destroy();
      await catcher.close();
      await router.end();
    }
  });
});
