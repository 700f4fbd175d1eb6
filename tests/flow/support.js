// What every flow test needs: a router of its own in a folder of its own, targets on node:http, raw sockets, deadlines.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const BINARY = process.env.TIDEWIRE ?? fileURLToPath(new URL('../../build/dev/tidewire', import.meta.url));
export const LONG = process.env.TIDEWIRE_LONG === 'yes';
export const SECRET = 'It is a secret to everybody';
const DEADLINE_MS = 20000;
const TSAN_OPTIONS = `suppressions=${fileURLToPath(new URL('../support/tsan.supp', import.meta.url))}`;

/** Polls `probe` until it gives something truthy; throws after the deadline with what was waited for. */
export async function until(what, probe, deadlineMs = DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A port that stays free while a router is away: below those that the system gives to connections. */
export async function freePort() {
  for (let tries = 0; tries < 100; tries++) {
    const port = 10000 + Math.floor(Math.random() * 20000);
    const server = net.createServer();
    server.listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no free port');
}

/**
 * A target: keeps what it gets. `answer(request, n)` may return { status, headers, body, delayMs, reset, never }.
 */
export async function startTarget(answer = () => ({ status: 200 }), port = 0) {
  const received = [];
  const sockets = new Set();
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const got = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks), at: Date.now() };
      received.push(got);
      const plan = answer(got, received.length) ?? { status: 200 };
      if (plan.never) return;
      if (plan.reset) {
        request.socket.destroy();
        return;
      }
      const finish = () => {
        response.writeHead(plan.status ?? 200, plan.headers ?? {});
        response.end(plan.body ?? '');
      };
      if (plan.delayMs) setTimeout(finish, plan.delayMs);
      else finish();
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    received,
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * A router on the given rule files: { 'a.lua': 'route …' }. Options: port, env, flags; `wrap`: words of a command to run it
 * under; `prepare(folder)`: called before it starts.
 */
export class Router {
  static async start(rules, options = {}) {
    const router = new Router();
    router.folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-'));
    router.port = options.port ?? (await freePort());
    router.env = { TSAN_OPTIONS, ...process.env, GITHUB_WEBHOOK_SECRET: SECRET, TIDEWIRE_LOG_LEVEL: 'info', ...options.env };
    router.flags = options.flags ?? [];
    router.wrap = options.wrap ?? [];
    router.said = ''; // by all its processes, for findings of a sanitizer
    await mkdir(path.join(router.folder, 'rules'), { recursive: true });
    for (const [name, text] of Object.entries(rules)) await router.write(name, text);
    await options.prepare?.(router.folder);
    await router.launch();
    return router;
  }

  async write(name, text) {
    const file = path.join(this.folder, 'rules', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** Starts the process and waits until it answers. */
  async launch() {
    this.output = '';
    const words = [...this.wrap, BINARY, 'run', this.folder, '--listen', `127.0.0.1:${this.port}`, '--workers', '2', ...this.flags];
    const started = spawn(words[0], words.slice(1), {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = started;
    this.ended = once(started, 'exit').then(([code, signal]) => {
      started.gone = { code, signal };
      return { code, signal };
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (chunk) => {
        this.output += chunk;
        this.said += chunk;
      });
    }
    await until('the router to answer', async () => {
      if (this.process.gone) throw new Error(`the router ended: ${this.output}`);
      return (await this.get('/readyz').catch(() => null))?.status === 200;
    });
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get socket() {
    return path.join(this.folder, 'run', 'tidewire.sock');
  }

  /** The admin API over its socket. */
  async get(route, method = 'GET') {
    return request({ socketPath: this.socket, path: route, method, headers: { 'x-tidewire-request': '1' } });
  }

  async events(query = '') {
    const answer = await this.get(`/v1/events?limit=500${query}`);
    return JSON.parse(answer.body).items;
  }

  async event(id) {
    const answer = await this.get(`/v1/events/${id}`);
    return answer.status === 200 ? JSON.parse(answer.body) : null;
  }

  /** The event once it is in one of these states. */
  async eventIn(id, ...states) {
    return until(`event ${id} to be ${states}`, async () => {
      const event = await this.event(id);
      return event && states.includes(event.state) ? event : null;
    });
  }

  async post(route, body, headers = {}) {
    return request({ host: '127.0.0.1', port: this.port, path: route, method: 'POST', headers, agent: this.agent }, body);
  }

  async status() {
    return JSON.parse((await this.get('/v1/status')).body);
  }

  /** Runs a command of the command line against this router. */
  async command(...args) {
    return command([...args, '--folder', this.folder], { env: this.env });
  }

  async stop(signal = 'SIGTERM') {
    if (!this.process.gone) this.process.kill(signal);
    return this.ended;
  }

  async end() {
    await this.stop('SIGKILL');
    await until('the server to be gone', async () => (await this.get('/healthz').catch(() => null)) === null);
    await rm(this.folder, { recursive: true, force: true });
    const found = this.said.match(/(ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: )[^]{0,4000}/);
    if (found) throw new Error(found[0]);
  }
}

/** One HTTP request; resolves to { status, headers, body } and rejects when there is no answer. */
export function request(options, body) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ timeout: DEADLINE_MS, ...options }, (incoming) => {
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    if (body === undefined) {
      outgoing.end();
    } else {
      outgoing.end(body);
    }
  });
}

/** Sends raw bytes in the given pieces, one write each, and returns everything that came back until the peer closed. */
export async function raw(port, pieces, { close = true } = {}) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  await once(socket, 'connect');
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
  }
  if (close) socket.end();
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** Runs the command line; resolves to { code, stdout, stderr }. */
export async function command(args, options = {}) {
  const child = spawn(BINARY, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
