// Targets with `tls`: whom the router trusts, what it shows, and what it says when TLS fails.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Authority } from './authority.js';
import { startSecureTarget } from './secure.js';
import { Router, command, freePort, startTarget, until } from './support.js';

let authority;
let other;
let client;
let second;
let server;

const pinOf = (pem) => createHash('sha256').update(createPublicKey(pem).export({ type: 'spki', format: 'der' })).digest('base64');

before(() => {
  authority = new Authority();
  other = new Authority();
  server = authority.certify('Server', { by: authority.root, hosts: ['localhost'] });
  client = authority.certify('First Client', { by: authority.root });
  second = authority.certify('Second Client', { by: authority.root });
});

after(() => {
  authority.end();
  other.end();
});

/** Files that rules name, and a route and a target for each of these: name → { url, tls: Lua }. */
const rulesOf = (targets) => ({
  'root.pem': authority.root.pem, 'other.pem': other.root.pem,
  'first.pem': client.pem, 'first.key': client.key, 'second.pem': second.pem,
  'targets.lua': Object.entries(targets).map(([name, { url, tls }]) => `
    do
      local t = target "${name}" { url = "${url}/${name}", private = true, retry = false, breaker = false, tls = ${tls ?? 'nil'} }
      route "/${name}" { verify = verify.none "a test", handle = function(event) send(t, event) end }
    end`).join('\n'),
});

async function deliver(router, name, state = 'done') {
  const answer = await router.post(`/${name}`, '{"a":1}', { 'content-type': 'application/json' });
  assert.equal(answer.status, 202);
  return (await router.eventIn(answer.headers['tidewire-event-id'], 'done', 'dead').then((event) => {
    assert.equal(event.state, state, `${name}: ${event.deliveries[0].reason}`);
    return event;
  })).deliveries[0];
}

async function failsWith(router, name, words) {
  const delivery = await deliver(router, name, 'dead');
  assert.equal(delivery.tries[0].error_type, 'tls', delivery.reason);
  assert.match(delivery.tries[0].detail, words);
  assert.match(delivery.reason, words);
}

for (const h2 of [false, true]) {
  describe(h2 ? 'over HTTP/2' : 'over HTTP/1.1', () => {
    let target;
    let router;

    before(async () => {
      target = await startSecureTarget({ cert: server.pem, key: server.key, ca: authority.root.pem, requestCert: true,
        rejectUnauthorized: false }, () => ({}), { h2 });
      const { url } = target;
      const pin = pinOf(server.pem);
      router = await Router.start(rulesOf({
        trusted: { url, tls: '{ ca = "root.pem" }' },
        first: { url, tls: '{ ca = "root.pem", cert = "first.pem", key = "first.key" }' },
        second: { url, tls: '{ ca = "root.pem", cert = "second.pem", key = secret "SECOND_KEY" }' },
        newest: { url, tls: '{ ca = "root.pem", min = "1.3" }' },
        pinned: { url, tls: `{ ca = "root.pem", pin = { "sha256/${pinOf(other.root.pem)}", "sha256/${pin}" } }` },
        curled: { url, tls: `{ ca = "root.pem", pin = "sha256//${pin}" }` },
        unpinned: { url, tls: `{ ca = "root.pem", pin = "sha256/${pinOf(other.root.pem)}" }` },
        wrong: { url, tls: '{ ca = "other.pem" }' },
        unknown: { url },
      }), { env: { SECOND_KEY: second.key } });
    });

    after(async () => {
      await router?.end();
      await target?.close();
    });

    test('a target of an authority of its own is delivered to, and keeps its connection', async () => {
      for (let i = 0; i < 6; i++) await deliver(router, 'trusted');
      const got = target.received.filter((one) => one.url === '/trusted');
      assert.equal(got.length, 6);
      assert.equal(got[0].version, h2 ? '2.0' : '1.1');
      assert.ok(new Set(got.map((one) => one.port)).size <= 2, 'a connection for each worker');
    });

    test('each target shows its own certificate, on connections of its own', async () => {
      for (let i = 0; i < 4; i++) for (const name of ['first', 'trusted', 'second']) await deliver(router, name);
      const ports = {};
      const shown = { '/first': 'First Client', '/second': 'Second Client', '/trusted': null };
      for (const got of target.received.filter((one) => one.url in shown)) {
        assert.equal(got.client, shown[got.url]);
        (ports[got.port] ??= new Set()).add(got.url);
      }
      for (const urls of Object.values(ports)) assert.equal(urls.size, 1);
    });

    test('a pin is the key that the target has; one of several is enough', async () => {
      await deliver(router, 'pinned');
      await deliver(router, 'curled');
      await failsWith(router, 'unpinned', /another key than tls\.pin names/);
      assert.equal(target.received.filter((one) => one.url === '/unpinned').length, 0);
    });

    test('who is not trusted gets nothing, over the connections of others neither', async () => {
      for (let i = 0; i < 3; i++) {
        await deliver(router, 'trusted');
        await failsWith(router, 'wrong', /authority that is not trusted/);
        await failsWith(router, 'unknown', /authority that is not trusted: a target names its own by tls/);
      }
      assert.equal(target.received.filter((one) => ['/wrong', '/unknown'].includes(one.url)).length, 0);
    });

    test('min = "1.3" is met by who speaks it', async () => {
      await deliver(router, 'newest');
    });
  });
}

describe('when TLS fails', () => {
  const targets = [];
  let router;
  let strict;
  let plain;

  const start = async (tls) => {
    const target = await startSecureTarget(tls);
    targets.push(target);
    return target.url;
  };

  /** One that looks at our certificate in the handshake, which Node does after it, and does not know its authority. */
  const startStrict = async () => {
    const port = await freePort();
    const file = (name) => path.join(authority.folder, name);
    const words = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', file(server.file), '-key', file(server.keyFile), '-CAfile',
      other.file, '-Verify', '1', '-verify_return_error', '-tls1_2', '-quiet'];
    strict = spawn('openssl', words, { stdio: ['ignore', 'ignore', 'ignore'] });
    await until('openssl to listen', () => new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true) || socket.destroy()).on('error', () => resolve(false));
    }));
    return `https://localhost:${port}`;
  };

  before(async () => {
    plain = await startTarget();
    const expired = authority.certify('Server', { by: authority.root, hosts: ['localhost'], days: -1 });
    const misnamed = authority.certify('Server', { by: authority.root, hosts: ['elsewhere.example.com'] });
    const good = { cert: server.pem, key: server.key };
    const picky = { ...good, ca: authority.root.pem, requestCert: true };
    const ca = '{ ca = "root.pem" }';
    router = await Router.start(rulesOf({
      expired: { url: await start({ cert: expired.pem, key: expired.key }), tls: ca },
      misnamed: { url: await start({ cert: misnamed.pem, key: misnamed.key }), tls: ca },
      old: { url: await start({ ...good, maxVersion: 'TLSv1.2' }), tls: '{ ca = "root.pem", min = "1.3" }' },
      demands12: { url: await start({ ...picky, maxVersion: 'TLSv1.2' }), tls: ca },
      demands13: { url: await start({ ...picky, minVersion: 'TLSv1.3' }), tls: ca },
      plain: { url: plain.url.replace('http:', 'https:') },
      stranger: { url: await startStrict(), tls: '{ ca = "root.pem", cert = "first.pem", key = "first.key" }' },
    }));
  });

  after(async () => {
    await router?.end();
    strict?.kill();
    await plain?.close();
    for (const target of targets) await target.close();
  });

  for (const [name, words] of Object.entries({
    expired: /has expired/,
    misnamed: /is for another host name/,
    old: /no version of TLS that is allowed/,
    demands12: /it may want a certificate of ours/,
    demands13: /wants a certificate of ours: tls = \{ cert/,
    plain: /does not speak TLS on this port: is the address meant to be http/,
    stranger: /it does not know the authority of our certificate/,
  })) {
    test(`${name} says so`, () => failsWith(router, name, words));
  }
});

describe('files that rules name', () => {
  let target;
  let router;

  before(async () => {
    target = await startSecureTarget({ cert: server.pem, key: server.key });
    router = await Router.start(rulesOf({ changing: { url: target.url, tls: '{ ca = "certs/now.pem" }' } }),
      { flags: ['--watch'], prepare: async (folder) => {
        await mkdir(path.join(folder, 'rules', 'certs'));
        await writeFile(path.join(folder, 'rules', 'certs', 'now.pem'), other.root.pem);
        await writeFile(path.join(folder, 'rules', 'certs', 'unused.key'), client.key);
      } });
  });

  after(async () => {
    await router?.end();
    await target?.close();
  });

  test('another certificate is loaded when its file is', async () => {
    await failsWith(router, 'changing', /authority that is not trusted/);
    const file = path.join(router.folder, 'rules', 'certs', 'now.pem');
    await writeFile(`${file}.new`, authority.root.pem);
    await rename(`${file}.new`, file);
    await until('the next generation', async () => (await router.status()).generation === 2);
    await deliver(router, 'changing');
  });

  test('a private key is in no file of the router', async () => {
    const files = (await readdir(router.folder, { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile() && !path.join(one.path, one.name).startsWith(path.join(router.folder, 'rules')));
    const all = await Promise.all(files.map((one) => readFile(path.join(one.path, one.name))));
    const hash = createHash('sha256').update(client.key).digest('hex');
    assert.ok(all.some((bytes) => bytes.includes(hash)), 'the rules are kept, the key by its hash');
    assert.ok(!all.some((bytes) => bytes.includes(client.key.split('\n')[5])));
  });
});

test('without its key a target records, in development', async () => {
  const tls = '{ cert = "first.pem", key = secret "NO_SUCH_KEY" }';
  const router = await Router.start(rulesOf({ keyless: { url: 'https://localhost:1', tls } }));
  try {
    const answer = await router.post('/keyless', '');
    const event = await router.eventIn(answer.headers['tidewire-event-id'], 'done');
    assert.equal(event.deliveries[0].state, 'recorded');
  } finally {
    await router.end();
  }
});

test('a certificate that has expired stops no start, and no other target', async () => {
  const target = await startSecureTarget({ cert: server.pem, key: server.key });
  const over = authority.certify('Over', { by: authority.root, days: -1 });
  const rules = rulesOf({ over: { url: target.url, tls: '{ ca = "root.pem", cert = "over.pem", key = "over.key" }' } });
  const router = await Router.start({ ...rules, 'over.pem': over.pem, 'over.key': over.key });
  try {
    await deliver(router, 'over'); // this target does not ask for it
    assert.match(router.output, /warning: target "over": tls\.cert: "over\.pem" has expired on 20/);
  } finally {
    await router.end();
    await target.close();
  }
});

describe('at load', () => {
  let folder;

  /** What `tidewire check` says of a target with that tls. */
  async function said(tls, env = {}, url = 'https://a.example.com') {
    await writeFile(path.join(folder, 'rules', 'a.lua'), `\ntarget "a" {\n  url = "${url}",\n  tls = ${tls},\n}\n`);
    const { stdout, stderr } = await command(['check', folder], { env: { ...process.env, ...env } });
    return stdout + stderr;
  }

  before(async () => {
    const soon = authority.certify('Soon', { by: authority.root, days: 6 });
    const late = authority.certify('Late', { by: authority.root, days: 8 });
    const over = authority.certify('Over', { by: authority.root, days: -1 });
    const locked = authority.openssl('pkey', '-in', client.keyFile, '-aes256', '-passout', 'pass:x').toString();
    const pem = (size) => authority.root.pem.padEnd(size, '#');
    folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-'));
    await mkdir(path.join(folder, 'rules', 'certs'), { recursive: true });
    for (const [name, text] of Object.entries({
      'certs/ca.pem': authority.root.pem, 'client.pem': client.pem, 'client.key': client.key, 'both.pem': client.pem + client.key,
      'soon.pem': soon.pem, 'soon.key': soon.key, 'late.pem': late.pem, 'late.key': late.key, 'over.pem': over.pem, 'over.key': over.key,
      'locked.key': locked, 'broken.pem': authority.root.pem.replace(/.{30}\n-/, '-'),
      'full.pem': pem(1 << 20), 'large.pem': pem((1 << 20) + 1),
    })) await writeFile(path.join(folder, 'rules', name), text);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  const pin = `sha256/${'A'.repeat(43)}=`;

  for (const [tls, words, env, url] of [
    ['{ ca = "certs/ca.pem", cert = "client.pem", key = "client.key", min = "1.2" }', null],
    ['{ cert = "both.pem", key = "both.pem" }', null],
    ['{ cert = "client.pem", key = secret "KEY" }', null, () => ({ KEY: client.key })],
    ['{ cert = "client.pem", key = secret "KEY" }', /a\.lua:4: warning: secret "KEY" is not set/],
    ['{ cert = "late.pem", key = "late.key" }', null],
    ['{ cert = "soon.pem", key = "soon.key" }', /a\.lua:4: warning: target "a": tls\.cert: "soon\.pem" expires on 20/],
    ['{ cert = "over.pem", key = "over.key" }', /a\.lua:4: warning: target "a": tls\.cert: "over\.pem" has expired on 20/],
    ['{ ca = "over.pem" }', /a\.lua:4: warning: target "a": tls\.ca: all certificates of "over\.pem" have expired/],
    ['{ cert = "client.pem", key = "soon.key" }', /a\.lua:4: target "a": tls\.key: the key is not that of the certificate/],
    ['{ cert = "client.pem", key = secret "KEY" }', /tls\.key: the key is not that of the certificate/, () => ({ KEY: server.key })],
    ['{ cert = "client.pem", key = secret "KEY" }', /tls\.key: there is no private key in PEM form/, () => ({ KEY: 'x' })],
    ['{ cert = "client.pem", key = "locked.key" }', /the key has a pass phrase/],
    ['{ cert = "client.pem" }', /tls\.cert wants its key/],
    ['{ key = "client.key" }', /tls\.key wants its certificate/],
    ['{ cert = "client.pem", key = "-----BEGIN PRIVATE KEY-----" }', /tls\.key is the key itself/],
    ['{ ca = "client.key" }', /there is no certificate in PEM form in it/],
    ['{ ca = "broken.pem" }', /a certificate in it is damaged/],
    ['{ ca = "certs/ca.pme" }', /tls\.ca = "certs\/ca\.pme" is no file of the rules folder/],
    ['{ ca = "certs/cb.pem" }', /cannot be read: No such file or directory[^]*did you mean 'certs\/ca\.pem'/],
    ['{ ca = "../ca.pem" }', /is no file of the rules folder/],
    ['{ ca = "/etc/ca.pem" }', /is no file of the rules folder/],
    ['{ ca = "full.pem" }', null],
    ['{ ca = "large.pem" }', /it has more than 1 MiB/],
    ['{ min = "1.1" }', /tls\.min = "1\.1" is none of "1\.2", "1\.3"/],
    [`{ pin = { ${`"${pin}", `.repeat(8)} } }`, null],
    [`{ pin = { ${`"${pin}", `.repeat(9)} } }`, /tls\.pin has more than 8 entries/],
    ['{ pin = "sha256/AAA=" }', /tls\.pin = "sha256\/AAA=" is no pin/],
    ['{ verify = false }', /tls has no option 'verify'/],
    ['{}', /tls wants an address that begins with https/, () => ({}), 'http://a.example.com'],
  ]) {
    test(`tls = ${tls.slice(0, 80)} ${words ? `says ${words}` : 'is taken'}`, async () => {
      const text = await said(tls, env?.(), url);
      if (words) assert.match(text, words);
      else assert.doesNotMatch(text, /a\.lua/);
    });
  }
});
