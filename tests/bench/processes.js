// The programs of a run: each is started, pinned, asked what it used, and ended by its pid.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, request, until } from '../flow/support.js';
import { SECRET } from './payloads.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BUILD = path.join(ROOT, 'build/release');
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const CONNECTIONS = 64;
const SAID_MAX = 16384; // of what a program says, for when it fails
const READY_MS = 60000; // also on a store with millions of events
const LOOK_MS = 100;

const running = new Set();

/** Ends everything that was started. */
export async function endAll() {
  await Promise.all([...running].map((one) => one.end()));
}

// ---- what a process used ----

/** utime, stime, cutime, cstime of /proc/PID/stat, in seconds; null: it is gone. */
function timesOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ').slice(11, 15).map((ticks) => Number(ticks) / TICKS);
  } catch {
    return null;
  }
}

function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

/** A process and all below it. */
export function treeOf(pid) {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** { user, system } seconds of a process, all below it, and what has ended below it. */
export function cpuOf(pid) {
  const sum = { user: 0, system: 0 };
  for (const [user, system, endedUser, endedSystem] of treeOf(pid).map(timesOf).filter(Boolean)) {
    sum.user += user + endedUser;
    sum.system += system + endedSystem;
  }
  return sum;
}

/** Seconds of each thread of a process tree, in the order in which they began. */
export function threadsOf(pid) {
  return treeOf(pid).flatMap((one) => {
    try {
      const threads = readdirSync(`/proc/${one}/task`).map((thread) => timesOf(`${one}/task/${thread}`));
      return threads.filter(Boolean).map(([user, system]) => user + system);
    } catch {
      return [];
    }
  });
}

function megabytesOf(pid, file, field) {
  let kilobytes = 0;
  for (const one of treeOf(pid)) {
    try {
      kilobytes += Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${one}/${file}`, 'latin1'))?.[1] ?? 0);
    } catch {
      // it has just ended
    }
  }
  return kilobytes / 1024;
}

/** The memory that a process and all below it hold, in MB; pages that they share count once. */
export const memoryOf = (pid) => megabytesOf(pid, 'smaps_rollup', 'Pss');
/** The most memory that each of them ever held, in MB. */
export const peakMemoryOf = (pid) => megabytesOf(pid, 'status', 'VmHWM');

/** How many files each program may open. */
export function filesMax() {
  return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1'))[1]);
}

// ---- which CPU is whose ----

function allowedCpus() {
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1];
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const cpus = allowedCpus();

/** { router, load, sink }: as taskset wants them. */
export function cpusFor(workers) {
  const left = cpus.length - workers; // for load and sink
  return {
    router: cpus.slice(0, workers).join(','),
    load: String(cpus[cpus.length - (left >= 2 ? 2 : 1)]),
    sink: String(cpus[cpus.length - 1]),
  };
}

export const cpuCount = cpus.length;

// ---- programs ----

class Program {
  /** words: the command; it is pinned, so its pid is the program's. */
  constructor(words, cpu, options = {}) {
    this.name = path.basename(words[0]);
    this.said = '';
    this.process = spawn('taskset', ['-c', cpu, ...words], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.pid = this.process.pid;
    this.ended = new Promise((resolve) => {
      this.process.on('error', (error) => resolve({ code: 127, why: error.message }));
      this.process.on('close', (code, signal) => resolve({ code, signal }));
    }).then((end) => {
      running.delete(this);
      this.gone = end;
      return end;
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        if (this.said.length < SAID_MAX) this.said += text;
      });
    }
    running.add(this);
  }

  fail(what) {
    return new Error(`${this.name}: ${what}\n${this.gone?.why ?? ''}${this.said}`);
  }

  async ready(what, probe) {
    await until(what, async () => {
      if (this.gone) throw this.fail('ended at once');
      return probe();
    }, READY_MS);
    return this;
  }

  /** Asks it to end, and waits until it has. */
  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
  }

  async end() {
    const below = treeOf(this.pid);
    if (!this.gone) this.process.kill('SIGKILL'); // what it holds is thrown away with it
    await this.ended;
    // a server process goes with its supervisor, a little later
    await until(`the end of ${this.name}`, () => below.every((pid) => !timesOf(pid)), READY_MS).catch(() => null);
  }
}

/** ceiling.c or sink.c: both say their port. */
async function startServer(name, args, cpu) {
  const program = new Program([path.join(BUILD, 'tests/bench', name), ...args], cpu);
  await program.ready('its port', () => /"port":(\d+)/.test(program.said));
  program.port = Number(/"port":(\d+)/.exec(program.said)[1]);
  program.url = `http://127.0.0.1:${program.port}`;
  return program;
}

export const startCeiling = (cpu) => startServer('bench_ceiling', [SECRET], cpu);

export async function startSink(cpu, delayMs = 0) {
  const sink = await startServer('bench_sink', [String(delayMs)], cpu);
  sink.stats = async () => JSON.parse((await request({ host: '127.0.0.1', port: sink.port, path: '/stats', agent: false })).body);
  return sink;
}

/** A tool that runs beside a load until it is interrupted; { code, said } of its end. */
export function startTool(words, cpu) {
  const program = new Program(words, cpu);
  program.interrupt = async () => {
    program.process.kill('SIGINT');
    return { ...await program.ended, said: program.said };
  };
  return program;
}

/** Fills a store that a router has left: fill.c says how. */
export async function fill(store, words, cpu) {
  const program = new Program([path.join(BUILD, 'tests/bench/bench_fill'), store, ...words], cpu);
  const { code } = await program.ended;
  if (code !== 0) throw program.fail('could not fill the store');
}

/** The router on a folder that has a `rules` folder; startedUs: since 1970, readyMs: how long it took to be ready. */
export async function startRouter(folder, workers, cpu, env = {}) {
  const startedMs = performance.timeOrigin + performance.now();
  const binary = process.env.TIDEWIRE ?? path.join(BUILD, 'tidewire');
  const router = new Program([binary, 'run', folder, '--listen', '127.0.0.1:0', '--workers', String(workers), '--no-watch'], cpu, {
    env: { TIDEWIRE_LOG_LEVEL: 'warn', ...process.env, GITHUB_WEBHOOK_SECRET: SECRET, ...env }, // a log is another program's work
  });
  const socketPath = path.join(folder, 'run/tidewire.sock');
  const get = (where) => request({ socketPath, path: where, headers: { 'x-tidewire-request': '1' }, agent: false });
  router.status = async () => JSON.parse((await get('/v1/status')).body);
  await router.ready('the router to be ready', async () => (await get('/readyz').catch(() => null))?.status === 200);
  router.startedUs = startedMs * 1000;
  router.readyMs = performance.timeOrigin + performance.now() - startedMs;
  router.url = `http://${(await router.status()).listen[0]}`;
  return router;
}

/** nginx on peers/nginx.conf; null: it is not installed. */
export async function startNginx(folder, sinkPort, workload, cpu) {
  const nginx = process.env.BENCH_NGINX ?? 'nginx';
  const port = await freePort();
  const values = { folder, port, sinkPort, rule: workload.targets.length, payload: workload.payload, here: path.join(ROOT, 'tests/bench/peers'),
    modules: process.env.BENCH_NGINX_MODULES ?? modulesOf(nginx) };
  const template = await readFile(path.join(ROOT, 'tests/bench/peers/nginx.conf'), 'utf8');
  await writeFile(path.join(folder, 'nginx.conf'), template.replace(/@(\w+)@/g, (_, name) => values[name]));
  const program = new Program([nginx, '-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')], cpu,
    { env: { ...process.env, ...nginxEnv(), GITHUB_WEBHOOK_SECRET: SECRET } });
  await program.ready('nginx to answer', async () =>
    (await request({ host: '127.0.0.1', port, path: '/ready', agent: false }).catch(() => null))?.status === 200);
  program.url = `http://127.0.0.1:${port}`;
  return program;
}

/** Its libraries are its own: the LuaJIT that its module wants must not become the router's. */
function nginxEnv() {
  const libraries = process.env.BENCH_NGINX_LIBRARIES;
  return libraries ? { LD_LIBRARY_PATH: libraries } : {};
}

function versionOf(nginx) {
  return execFileSync('sh', ['-c', '"$1" -V 2>&1', 'sh', nginx], { encoding: 'utf8' });
}

function modulesOf(nginx) {
  return /--modules-path=(\S+)/.exec(versionOf(nginx))?.[1] ?? 'modules';
}

/** Why nginx cannot be measured; null: it can. */
export function nginxMissing() {
  try {
    versionOf(process.env.BENCH_NGINX ?? 'nginx');
    return null;
  } catch {
    return 'nginx is not installed: peers/README.md says which packages it takes';
  }
}

// ---- the load ----

/** Posts for some seconds; what post.lua says at its end, and how busy wrk and the others of `beside` were meanwhile. */
export async function load(url, payload, { seconds, mode, intervalMs, connections = CONNECTIONS, cpu, beside }) {
  const script = path.join(ROOT, 'tests/bench/post.lua');
  const wrk = new Program(['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url, '--',
    payload.folder, payload.event, mode, ...(intervalMs ? [String(intervalMs)] : [])], cpu);
  const watched = [wrk.pid, ...beside.map((program) => program.pid)];
  const used = () => watched.map((pid) => cpuOf(pid)).map(({ user, system }) => user + system);
  const before = used();
  let after = before;
  const timer = setInterval(() => {
    after = used().map((seconds, i) => Math.max(seconds, after[i]));
  }, LOOK_MS);
  const deadline = setTimeout(() => wrk.process.kill('SIGKILL'), (seconds + 20) * 1000);
  await wrk.ended;
  clearInterval(timer);
  clearTimeout(deadline);
  const said = /^\{.*\}$/m.exec(wrk.said);
  if (!said) throw wrk.fail('said no figures');
  const figures = JSON.parse(said[0]);
  const busy = after.reduce((sum, one, i) => sum + one - before[i], 0);
  return { ...figures, busy: busy / (figures.load_us / 1e6) };
}

export { CONNECTIONS };
