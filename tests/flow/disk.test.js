// A disk that is full or fails under the running router (builds for tests only).
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Router, startTarget, until } from './support.js';

const control = path.join(os.tmpdir(), `tidewire-faults-${process.pid}`);
const disk = (state) => writeFile(control, state);

const rule = (url) => `
local t = target "t" { url = "${url}", private = true, retry = { first = "20ms", factor = 1 } }
route "/in" { verify = verify.none "a test", dedupe = "headers.x-id", handle = function(event) send(t, event) end }`;

let target;
let router;
let n = 0;
const answered = new Set();

async function post() {
  const id = `d${n++}`;
  const answer = await router.post('/in', id, { 'x-id': id, 'content-type': 'text/plain' }).catch((error) => ({ status: error.code, headers: {} }));
  if (answer.status === 202) answered.add(id);
  return answer;
}

before(async () => {
  await disk('');
  target = await startTarget();
  router = await Router.start({ 'in.lua': rule(target.url) }, { flags: ['--drain', '1s'], env: { TIDEWIRE_STORE_VFS: 'faults', TIDEWIRE_FAULTS_FILE: control } });
  router.agent = false;
});

after(async () => {
  await disk('');
  await router?.end();
  await target?.close();
});

const servesAgain = () => until('the router to accept', async () => (await post()).status === 202, 60000);

test('a full disk answers 503 with Retry-After, and 202 once there is room', async () => {
  for (let i = 0; i < 20; i++) assert.equal((await post()).status, 202);
  await disk('full');
  const answer = await post();
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.headers['retry-after']) > 0);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const { pid } = await router.status();
  await disk('');
  await servesAgain();
  assert.equal((await router.status()).pid, pid, 'the same server');
});

for (const fault of ['write', 'fsync']) {
  describe(`a failing ${fault}`, () => {
    test('is answered with no 2xx, ends the server with 70, and the next one serves', async () => {
      assert.equal((await post()).status, 202);
      const { pid } = await router.status();
      await disk(fault);
      const answer = await post();
      assert.notEqual(answer.status, 202);
      await until('the server to end', () => router.output.includes('"code":70'));
      const meanwhile = await post();
      assert.ok(meanwhile.status === 503 || typeof meanwhile.status === 'string', String(meanwhile.status));
      await disk('');
      await servesAgain();
      assert.notEqual((await router.status()).pid, pid);
      assert.equal(router.process.exitCode, null, 'the supervisor stays');
    });
  });
}

test('a full disk does not hold up the end', async () => {
  await disk('full');
  await post();
  assert.deepEqual(await router.stop(), { code: 0, signal: null });
  await disk('');
  await router.launch();
  await servesAgain();
});

test('everything that was answered arrives', async () => {
  await until('all of it', () => {
    const got = new Set(target.received.map((one) => one.body.toString()));
    return [...answered].every((id) => got.has(id));
  }, 60000);
  assert.ok(answered.size > 20);
});
