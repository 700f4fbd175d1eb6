// An authority of our own, certificates that it gives, and a server of the https kind that speaks for every host: for what the router
// has to fetch before it can verify. The router is told by TIDEWIRE_TEST_CA and TIDEWIRE_TEST_CONNECT_TO (test builds only).
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';

const dateOf = (days) => new Date(Date.now() + days * 86400000).toISOString().replace(/[-:T]|\.\d+/g, '');

export class Authority {
  // From OpenSSL 3.4 on an end before the start is refused, and both can be said.
  #knowsDates = spawnSync('openssl', ['x509', '-help']).stderr.includes('-not_after');

  constructor() {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'tidewire-ca-'));
    this.count = 0;
    this.root = this.certify('Test Root', { authority: true });
    this.file = path.join(this.folder, 'root.pem');
    writeFileSync(this.file, this.root.pem);
  }

  openssl(...args) {
    return execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** { pem, key }: a certificate with that common name, by itself or by `by`. days may be below zero; bits: of its RSA key. */
  certify(name, { by, authority = false, days = 30, hosts = [], bits = 2048 } = {}) {
    const [key, request, out, extensions] = ['key', 'csr', 'pem', 'ext'].map((kind) => `${this.count}.${kind}`);
    this.count++;
    writeFileSync(path.join(this.folder, extensions), [
      `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`,
      ...(authority ? ['keyUsage=critical,keyCertSign,cRLSign'] : []),
      ...(hosts.length > 0 ? [`subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`] : []),
    ].join('\n'));
    this.openssl('req', '-newkey', `rsa:${bits}`, '-nodes', '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const signer = by ? ['-CA', by.file, '-CAkey', by.keyFile, '-set_serial', String(this.count)] : ['-signkey', key];
    const make = (...time) => this.openssl('x509', '-req', '-in', request, '-out', out, ...time, '-extfile', extensions, ...signer);
    if (days < 0 && this.#knowsDates) make('-not_before', dateOf(days - 30), '-not_after', dateOf(days));
    else make('-days', String(days));
    return { pem: readFileSync(path.join(this.folder, out), 'utf8'), key: readFileSync(path.join(this.folder, key), 'utf8'), file: out,
      keyFile: key };
  }

  end() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * The server. answers: { 'host/path': { status, headers, body, never } or a function that gives that, or a promise of it }; `asked`
 * holds what was asked, as such a name with its query.
 */
export async function startWorld(authority, hosts, answers) {
  const { pem, key } = authority.certify('Test Server', { by: authority.root, hosts });
  const asked = [];
  const sockets = new Set();
  const server = https.createServer({ cert: pem, key }, async (request, response) => {
    const name = request.headers.host + request.url;
    asked.push(name);
    const found = answers[name] ?? answers[name.replace(/\?.*/, '')];
    const plan = (await (typeof found === 'function' ? found(name) : found)) ?? { status: 404, body: 'not here' };
    if (plan.never) return;
    response.writeHead(plan.status ?? 200, plan.headers ?? {});
    response.end(plan.body ?? '');
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    times: (name) => asked.filter((one) => one === name).length,
    env: { TIDEWIRE_TEST_CA: authority.file, TIDEWIRE_TEST_CONNECT_TO: `127.0.0.1:${server.address().port}` },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
