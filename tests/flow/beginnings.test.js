// The commands that write rules and tell about them: init, new, routes, api.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { command } from './support.js';

let folder;
before(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-new-'))));
after(async () => rm(folder, { recursive: true }));

const env = { ...process.env, GITHUB_WEBHOOK_SECRET: 'x', GITHUB_SECRET: 'x', SHOP_ID_SECRET: 'x', ACME_SECRET: 'x', SLACK_URL: 'https://slack.example.com/x' };
const run = (...words) => command([...words, '--folder', folder], { env });
const read = (name) => readFile(path.join(folder, name), 'utf8');
const luacheck = spawnSync('luacheck', ['--version']).status === 0;

test('init writes a folder that loads, and nothing over what is there', async () => {
  const where = path.join(folder, 'a', 'b');
  const written = await command(['init', where], { env });
  assert.equal(written.code, 0, written.stderr);
  const names = ['rules/hello.lua', 'rules/hello_test.lua', '.gitignore', '.luarc.json', '.luacheckrc', '.tidewire/api.lua'];
  assert.equal(written.stdout, names.map((name) => `written\t${where}/${name}\n`).join(''));
  assert.equal((await command(['check', where], { env })).stdout, '✓ 1 file, 1 route, 1 target\n');
  assert.deepEqual(JSON.parse(await readFile(path.join(where, '.luarc.json'))), {
    'runtime.version': 'LuaJIT', 'workspace.library': ['.tidewire'], 'diagnostics.globals': [],
  });
  await writeFile(path.join(where, 'rules/hello.lua'), '-- mine\n');
  await rm(path.join(where, '.gitignore'));
  const again = (await command(['init', where, '--json'], { env })).stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(again.map((file) => file.written), [false, false, true, false, false, false]);
  assert.equal(await readFile(path.join(where, 'rules/hello.lua'), 'utf8'), '-- mine\n');
  await writeFile(path.join(folder, 'file'), '');
  const refused = await command(['init', path.join(folder, 'file', 'x')], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /file/);
});

test('new writes frames that load', async () => {
  await run('init', folder);
  for (const [words, file] of [
    [['route', '/shop/:id'], 'rules/shop_id.lua'], [['route', 'gh', '--provider', 'github'], 'rules/gh.lua'],
    [['target', 'slack'], 'rules/lib/slack.lua'], [['provider', 'acme'], 'rules/providers/acme.lua'], [['test', 'gh'], 'rules/gh_test.lua'],
    [['route', 'own', '--provider', 'acme'], 'rules/own.lua'],
  ]) {
    const answer = await run('new', ...words);
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(answer.stdout, `${folder}/${file}\n`);
    assert.ok((await stat(path.join(folder, file))).size > 0);
    const again = await run('new', ...words);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is there already/);
  }
  assert.match(await read('rules/gh.lua'), /from = provider\.github \{ secret = secret "GITHUB_SECRET" \}/);
  const checked = await run('check');
  assert.match(checked.stdout, /^✓ \d files, 4 routes, 1 target\n$/); // what nobody requires is not run
  if (luacheck) assert.equal(spawnSync('luacheck', ['-q', 'rules'], { cwd: folder }).status, 0);
});

test('what new does not understand', async () => {
  for (const [words, code, said] of [
    [['rute', 'x'], 2, /Did you mean 'route'\?/], [['route', 'x', '--provider', 'githb'], 5, /there is no provider\.githb, did you mean 'github'/],
    [['target', '../x'], 2, /is no name for a target/], [['route', '../x'], 2, /is no name/], [['target', 'x', '--provider', 'github'], 2, /new route/],
    [['route', 'x', '--provider', 'a{b'], 2, /no name of a provider/], [['route'], 2, /missing argument 'name'/],
  ]) {
    const answer = await run('new', ...words);
    assert.equal(answer.code, code, words.join(' ') + answer.stderr);
    assert.match(answer.stderr, said);
  }
  assert.ok(!(await readdir(path.join(folder, 'rules'))).includes('x.lua'));
});

test('routes lists entrances with the targets that their handlers can reach', async () => {
  await writeFile(path.join(folder, 'rules/fan.lua'), `local slack = require "lib.slack"
    local a = target "a" { url = "https://a.example.com" }
    local by_type = { ["x.*"] = { a } }
    local function choose(event) return text.choose(event.type, by_type) end
    route "/fan" { verify = verify.none "t", rate = "30/m", enabled = false, handle = function(event) send(choose(event), event) send(slack, event) end }`);
  const lines = (await run('routes')).stdout.trim().split('\n');
  assert.deepEqual(lines, ['/fan (off)\t\tnone\t30/m\ta, slack\trules/fan.lua:5', '/gh\tgithub\tgithub\t\t\trules/gh.lua:1',
    '/github\tgithub\tgithub\t\tcatcher\trules/hello.lua:7', '/own\tacme\tacme\t\t\trules/own.lua:1',
    '/shop/:id\t\thmac\t\t\trules/shop_id.lua:1']);
  const one = JSON.parse((await run('routes', '/fan', '--json')).stdout);
  assert.deepEqual([one.path, one.targets, one.enabled, one.line, one.methods], ['/fan', ['a', 'slack'], false, 5, ['POST']]);
  assert.match((await run('routes', '/github')).stdout, /max_body\t26214400\n/);
  const none = await run('routes', '/githb');
  assert.equal(none.code, 5);
  assert.match(none.stderr, /Did you mean '\/github'\?/);
  await writeFile(path.join(folder, 'rules/bad.lua'), 'x = 1\n');
  const bad = await run('routes');
  assert.equal(bad.code, 3);
  assert.match(bad.stderr, /would make a global/);
  await rm(path.join(folder, 'rules/bad.lua'));
});

test('api says every word, by sentence, option or library', async () => {
  assert.match((await run('api')).stdout, /^route\tAn entrance/);
  assert.match((await run('api', 'route')).stdout, /^from\tProvider\t/);
  assert.match((await run('api', 'text.trim')).stdout, /^text\.trim\(s\)\t\(s: string\): string\t\tWithout white space/);
  assert.match((await run('api', 'event:get')).stdout, /^event:get\(path, default\?\)/);
  assert.equal((await run('api', 'timeout')).stdout.split('\t')[2], '"15s"');
  const all = (await run('api', '--json')).stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(all.length > 150 && all.some((entry) => entry.word === 'crypto.sign(algorithm, key, data, encoding?)'));
  const none = await run('api', 'timeot');
  assert.equal(none.code, 5);
  assert.match(none.stderr, /Did you mean 'timeout'\?/);
  assert.equal((await run('api', '--meta')).stdout, `${folder}/.tidewire/api.lua\n`);
  const meta = await read('.tidewire/api.lua');
  for (const words of ['---@meta tidewire', '---@class RouteOptions', '---@field handle fun(event: Event): any', '---@field ack? "stored" | "received"',
    'function Event:get(path, default) end', 'function route(name) end', '---@return fun(options: TargetOptions): Target', '---@alias Duration string']) {
    assert.ok(meta.includes(words), words);
  }
});
