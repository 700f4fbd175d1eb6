// Where the time of an event goes: by stage, by thread, in allocations and in system calls; stages.sh says how it is called.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../flow/support.js';
import { inFolder, inScratch, measureRouter } from './measure.js';
import { PAYLOADS, signaturesFor, writePayloads } from './payloads.js';
import { BUILD, cpusFor, startTool, treeOf } from './processes.js';
import { printMarkdown, tell } from './table.js';
import { workloadsOf } from './workloads.js';

const BINARY = process.env.TIDEWIRE ?? path.join(BUILD, 'tidewire');
const SAMPLES_PER_SECOND = 1999; // no divisor of what happens in round numbers
const OUTPUT_MAX = 1 << 30;

// ---- our own functions, by the folder of their source ----

/** [{ address, name, folder }] of the binary, by address. */
function readFunctions() {
  const symbols = execFileSync('nm', ['--defined-only', '-n', BINARY], { encoding: 'utf8', maxBuffer: OUTPUT_MAX }).split('\n')
    .map((line) => /^([0-9a-f]+) [tTwW] (.*)$/.exec(line)).filter(Boolean).map(([, address, name]) => ({ address: parseInt(address, 16), name }));
  const addresses = symbols.map(({ address }) => address.toString(16)).join('\n');
  const places = execFileSync('addr2line', ['-e', BINARY], { input: addresses, encoding: 'utf8', maxBuffer: OUTPUT_MAX }).split('\n');
  return symbols.map((symbol, i) => ({ ...symbol, folder: folderOf(places[i], symbol.name) }));
}

function folderOf(place, name) {
  if (name.startsWith('llhttp')) return 'llhttp';
  const found = /\/core\/(\w+)\/(\w+)\.[ch]:/.exec(place);
  return found && (found[2] === 'verify' ? 'verify' : found[1]);
}

function functionAt(functions, address) {
  let [first, end] = [0, functions.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if (functions[middle].address <= address) first = middle + 1;
    else end = middle;
  }
  return functions[first - 1];
}

// ---- samples ----

/** [{ tid, isMain, frames: [{ address, symbol, library }] }], innermost frame first. */
function parseSamples(text) {
  return text.split('\n\n').map((block) => {
    const [head, ...lines] = block.trim().split('\n');
    const frames = lines.map((line) => /^\s*([0-9a-f]+) (.*) \((.*)\)$/.exec(line)).filter(Boolean).map(([, address, symbol, file]) =>
      ({ address: parseInt(address, 16), symbol: symbol.replace(/@.*|\+0x.*/, ''), library: file.startsWith('/') ? path.basename(file) : file }));
    const [pid, tid] = head.trim().split('/');
    return { tid, isMain: pid === tid, frames };
  }).filter((sample) => sample.frames.length > 0);
}

/** By what the kernel works for: a fault of memory, a call of the process. */
function callOf(frames) {
  const kernel = frames.filter((frame) => frame.library === '[kernel.kallsyms]');
  if (kernel.some((frame) => /page_fault/.test(frame.symbol))) return 'page fault';
  if (kernel.some((frame) => /^eventfd_/.test(frame.symbol))) return 'eventfd';
  const entry = kernel.map((frame) => /^(?:__x64_sys_|__do_sys_|ksys_)(\w+)$/.exec(frame.symbol)).find(Boolean);
  const user = frames[kernel.length];
  return entry?.[1] ?? user?.symbol.replace(/^_*(libc_|GI_|GI___|GI___libc_)?/, '') ?? '';
}

/** Each stage: who works for it in the process (folders of core/ or libraries), and which calls of the kernel. */
const STAGES = [
  ['kernel: accept, read requests', { calls: /^(accept4?|read|readv|recvmsg)$/ }],
  ['HTTP: llhttp, http/, listen/', { folders: ['llhttp', 'http', 'listen', 'tls'], libraries: /^libllhttp/ }],
  ['verify: HMAC of the body, other libcrypto', { folders: ['verify'], libraries: /^libcrypto/ }],
  ['JSON: json/', { folders: ['json'] }],
  ['Lua: LuaJIT, its machine code, script/', { folders: ['script'], libraries: /^(libluajit|\[JIT\]|\[unknown\]|\/\/anon|$)/ }],
  ['ingest/, model/, loop/, observe/, base/', { folders: ['ingest', 'model', 'loop', 'observe', 'base', 'super', 'admin', 'cli', 'config'] }],
  ['store: SQLite, store/', { folders: ['store'], libraries: /^libsqlite3/ }],
  ['kernel: files', { calls: /^(pwrite64|pwrite|pread64|pread|fcntl|fcntl64|ftruncate|openat|fstat|newfstatat|statfs|close|unlink)$/ }],
  ['kernel: fsync', { calls: /^(fdatasync|fsync)$/ }],
  ['deliver: libcurl, deliver/', { folders: ['deliver'], libraries: /^(libcurl|libnghttp2)/ }],
  ['kernel: send to targets, read their answers', { calls: /^(sendto|send|recvfrom|recv|connect|socket|setsockopt|getsockname|getsockopt)$/ }],
  ['kernel: write answers', { calls: /^(write|writev|sendmsg)$/ }],
  ['event loop: libuv', { libraries: /^libuv/ }],
  ['kernel: epoll, poll', { calls: /^(epoll_\w+|poll)$/ }],
  ['kernel: threads wake each other', { calls: /^(eventfd|futex|sched_yield|pthread_cond_\w+|futex_wait\w*|lll_lock_\w+)$/ }],
  ['locks', { symbols: /^_*(GI_*)?pthread_/ }],
  ['memory: malloc, free', { libraries: /^libmimalloc/, symbols: /^_*(libc_)?(malloc|calloc|realloc|free|int_malloc|int_free)$/ }],
  ['kernel: memory', { calls: /^(page fault|mmap|munmap|mprotect|madvise|brk)$/ }],
  ['copies: memcpy, memmove, memset', { symbols: /^_*(mem(cpy|move|set))/ }],
  ['clocks', { libraries: /^\[vdso\]/, symbols: /clock_gettime|gettimeofday/ }],
  ['other of the C library', { libraries: /^(libc\.|libm\.|ld-linux|libpthread|libgcc)/ }],
];
const OTHER = 'other';

function stageOf(sample, functions) {
  const [top] = sample.frames;
  if (top.library === '[kernel.kallsyms]') {
    const call = callOf(sample.frames);
    return STAGES.find(([, { calls }]) => calls?.test(call))?.[0] ?? `kernel: ${OTHER}`;
  }
  const folder = top.library === path.basename(BINARY) ? functionAt(functions, top.address)?.folder : null;
  const found = folder
    ? STAGES.find(([, { folders }]) => folders?.includes(folder))
    : STAGES.find(([, { symbols }]) => symbols?.test(top.symbol)) ?? STAGES.find(([, { libraries }]) => libraries?.test(top.library));
  return found?.[0] ?? OTHER;
}

const MAINS = { writer_main: 'store writer', reader_main: 'store reader', watch: 'watchdog' };

/**
 * What each thread is: by the function it began in, which some of its stacks reach. Those of workers do not: libuv, which has no frame
 * pointers, lies between; so a worker is what is nothing else.
 */
function namesOf(samples) {
  const names = new Map(samples.map(({ tid, isMain }) => [tid, isMain ? 'main, supervisor' : 'worker']));
  for (const { tid, frames } of samples) {
    const main = frames.find((frame) => frame.library === path.basename(BINARY) && MAINS[frame.symbol]);
    if (main) names.set(tid, MAINS[main.symbol]);
  }
  return names;
}

function countBy(samples, keyOf) {
  const counts = new Map();
  for (const sample of samples) counts.set(keyOf(sample), (counts.get(keyOf(sample)) ?? 0) + 1);
  return counts;
}

// ---- the runs ----

/** Runs `perf record` beside the load; its samples. */
async function sampled(run, file) {
  let perf;
  const words = (router) => ['perf', 'record', '-q', '-e', 'cpu-clock', '-F', String(SAMPLES_PER_SECOND), '-g', '-o', file,
    '-p', treeOf(router.pid).join(',')];
  await run({
    before: async (router) => {
      perf = startTool(words(router), cpusFor(1).load);
      await perf.ready('perf to watch', () => existsSync(file));
    },
    after: async () => { await perf.interrupt(); },
  });
  const script = spawnSync('perf', ['script', '-i', file, '-F', 'pid,tid,ip,sym,dso'], { encoding: 'utf8', maxBuffer: OUTPUT_MAX });
  if (script.status !== 0) throw new Error(`perf script: ${script.stderr}`);
  return parseSamples(script.stdout);
}

/** Runs `perf trace -s` beside the load: { calls: Map of name to number, events }, or null where it may not. */
async function traced(run, file) {
  let perf;
  const { accepted } = await run({
    before: async (router) => {
      perf = startTool(['perf', 'trace', '-s', '-o', file, '-p', treeOf(router.pid).join(',')], cpusFor(1).load);
      await until('perf to trace', () => perf.gone || existsSync(file));
    },
    after: async () => { await perf.interrupt(); },
  });
  const calls = new Map();
  if (!existsSync(file)) return null;
  for (const [, name, count] of readFileSync(file, 'utf8').matchAll(/^ +([a-z]\w+) +(\d+) +\d+ +[\d.]+/gm)) {
    calls.set(name, (calls.get(name) ?? 0) + Number(count));
  }
  return calls.size > 0 ? { calls, accepted } : null;
}

// of count.c
const ROWS = 64;
const NAME_BYTES = 48;
const FIELDS = ['allocations', 'bytes', 'frees', 'copies', 'copied'];
const ROW_BYTES = NAME_BYTES + FIELDS.length * 8;

function readCounts(file) {
  const bytes = readFileSync(file);
  const rows = new Map();
  for (let i = 0; i < ROWS; i++) {
    const at = i * ROW_BYTES;
    const name = bytes.toString('latin1', at, at + NAME_BYTES).replace(/\0.*$/s, '') || OTHER;
    const row = Object.fromEntries(FIELDS.map((field, n) => [field, Number(bytes.readBigUInt64LE(at + NAME_BYTES + n * 8))]));
    if (name !== OTHER || i === ROWS - 1) rows.set(name, row);
  }
  return rows;
}

/** Runs with count.c preloaded: { accepted, rows: [{ name, allocations, … }] per event }. */
async function counted(run, file) {
  writeFileSync(file, Buffer.alloc(ROWS * ROW_BYTES));
  let before;
  let after;
  const { accepted } = await run({
    env: { LD_PRELOAD: path.join(BUILD, 'tests/bench/bench_count.so'), BENCH_COUNTS: file },
    before: async () => { before = readCounts(file); },
    after: async () => { after = readCounts(file); },
  });
  const rows = [...after].map(([name, row]) => ({ name,
    ...Object.fromEntries(FIELDS.map((field) => [field, (row[field] - (before.get(name)?.[field] ?? 0)) / accepted])) }));
  return rows.filter((row) => row.allocations + row.copies > 0.005).sort((a, b) => b.allocations - a.allocations);
}

/** Bytes that a process tree has written to disks. */
function writtenBy(pid) {
  return treeOf(pid).reduce((sum, one) => sum + Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${one}/io`, 'latin1'))[1]), 0);
}

async function plain(run) {
  let before;
  return run({
    before: async (router) => { before = writtenBy(router.pid); },
    after: async (router) => ({ written: writtenBy(router.pid) - before }),
  });
}

async function stagesOf(workload, context, functions) {
  const run = (what) => (more) => {
    tell(`${workload.title}: ${what} `);
    return inFolder(context.parent, (folder) => measureRouter(workload, { ...context, ...more, folder, payload: context.payloads[workload.payload] }));
  };
  const file = (name) => path.join(context.parent, `${workload.title.replaceAll(' ', '-')}.${name}`);
  const figures = await plain(run('time'));
  const samples = await sampled(run('stages'), file('samples'));
  const names = namesOf(samples);
  return {
    title: workload.title, us: figures.cpu * 100, accepted: figures.accepted, written: figures.written / figures.accepted, samples: samples.length,
    stages: countBy(samples, (sample) => stageOf(sample, functions)),
    threads: countBy(samples, (sample) => names.get(sample.tid)),
    memory: await counted(run('allocations'), file('counts')),
    calls: await traced(run('system calls'), file('trace')),
  };
}

// ---- the tables ----

const number = (value) => value.toFixed(value >= 100 ? 0 : value >= 1 ? 1 : 2);
const byCount = (counts) => [...counts].sort(([, a], [, b]) => b - a);

function inOrder(counts) {
  const order = STAGES.map(([title]) => title);
  const place = (title) => (order.includes(title) ? order.indexOf(title) : order.length);
  return [...counts].sort(([a], [b]) => place(a) - place(b));
}

function showTimes(found) {
  const row = ([name, count]) => [name, number((count / found.samples) * found.us), `${((count / found.samples) * 100).toFixed(1)} %`];
  printMarkdown(['stage', 'µs/event', 'share'], [...inOrder(found.stages).map(row), ['**all**', number(found.us), '']]);
  console.log('');
  printMarkdown(['thread', 'µs/event', 'share'], byCount(found.threads).map(row));
}

function showMemory(found) {
  const sum = (field) => found.memory.reduce((total, row) => total + row[field], 0);
  const row = (name, of) => [name, ...FIELDS.map((field) => number(of(field)))];
  printMarkdown(['asked for by', 'allocations/event', 'bytes', 'frees', 'copies', 'bytes copied'],
    [...found.memory.map((one) => row(one.name, (field) => one[field])), row('**all**', sum)]);
}

function showCalls(found) {
  if (!found.calls) {
    console.log('System calls: `perf trace` is not allowed here (it needs root, or access to the events of tracefs).');
    return;
  }
  const { calls, accepted } = found.calls;
  const rows = byCount(calls).map(([name, count]) => [name, count / accepted]);
  const all = rows.reduce((sum, [, each]) => sum + each, 0);
  printMarkdown(['system call', 'calls/event'],
    [...rows.filter(([, each]) => each >= 0.005).map(([name, each]) => [name, number(each)]), ['**all**', number(all)]]);
}

function show(found) {
  console.log(`\n### ${found.title}: ${number(found.us)} µs of processor time for an event, ${number(found.written / 1000)} KB written to the disk\n`);
  showTimes(found);
  console.log('');
  showMemory(found);
  console.log('');
  showCalls(found);
}

// ---- ----

/** Why perf cannot be used; null: it can. */
function refusal() {
  const tried = spawnSync('perf', ['record', '-q', '-e', 'cpu-clock', '-g', '-o', '/dev/null', '--', 'true'], { encoding: 'utf8' });
  if (tried.status === 0) return null;
  return `perf is not allowed to take samples here: be root, or set kernel.perf_event_paranoid to 1\n${tried.error?.message ?? tried.stderr}`;
}

function readOptions() {
  const { values, positionals } = parseArgs({ options: { seconds: { type: 'string', default: '3' } }, allowPositionals: true });
  if (!/^[1-9]\d*$/.test(values.seconds)) throw new Error('--seconds wants a whole number above zero');
  const wanted = positionals.length > 0 ? positionals : ['drop push', 'stored push'];
  const all = workloadsOf(PAYLOADS, '', false).filter((one) => one.kind === 'router' && !one.halfOf);
  const workloads = wanted.map((title) => all.find((one) => one.title === title));
  if (workloads.includes(undefined)) throw new Error(`workloads are: ${all.map((one) => one.title).join(', ')}`);
  return { seconds: Number(values.seconds), workloads };
}

async function main() {
  const { seconds, workloads } = readOptions();
  const refused = refusal();
  if (refused) throw new Error(refused);
  await inScratch(async (parent) => {
    const payloads = await writePayloads(parent, [...new Set(workloads.map((one) => one.payload))], signaturesFor(seconds));
    const functions = readFunctions();
    for (const workload of workloads) {
      const found = await stagesOf(workload, { parent, payloads, seconds }, functions);
      tell('');
      show(found);
    }
  });
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
