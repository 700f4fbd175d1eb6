// How the cost of an event grows: one table for each thing that can become more; growth.sh says how it is called.
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../flow/support.js';
import { inFolder, inScratch, measureRouter, wait } from './measure.js';
import { postOne, signaturesFor, writePayload } from './payloads.js';
import { CONNECTIONS, cpuOf, cpusFor, fill, filesMax, memoryOf, peakMemoryOf, startRouter, startSink } from './processes.js';
import { milliseconds, printTable, tell } from './table.js';
import { ruleOf, writeRules } from './workloads.js';

const MILLION = 1e6;
const SECONDS = 4;
const REST_MS = 3000; // at rest: long enough for what is done once a second
const DROP = { kind: 'router', workers: 1, ack: 'received', targets: [], payload: 'star' };
const STORED = { kind: 'router', workers: 1, ack: 'stored', targets: ['one'], payload: 'star', fresh: true };
const NOBODY = 'http://127.0.0.1:9'; // the port of a service that nobody runs

const usedBy = (pid) => Object.values(cpuOf(pid)).reduce((sum, seconds) => sum + seconds);

// ---- columns: what is measured the same way everywhere ----

const CPU = ['cpu s/10k', (row) => row.cpu.toFixed(3)];
const GROWTH = ['× first', (row, rows) => (row.cpu / rows.find((first) => first.kind === row.kind).cpu).toFixed(2)];
const RATE = ['accepted/s', (row) => row.rate.toFixed(0)];
const ANSWER = ['answer ms p50 / p99', (row) => `${milliseconds(row.answerMs[0])} / ${milliseconds(row.answerMs[1])}`];
const DELAY = ['delay ms p50 / p99', (row) => row.delayMs?.map(milliseconds).join(' / ') ?? ''];
const READY = ['ready ms', (row) => row.readyMs.toFixed(0)];
const REST = ['MB at rest', (row) => row.restMemory.toFixed(0)];
const REST_CPU = ['cpu % at rest', (row) => row.restCpu.toFixed(1)];
const MEMORY = ['MB most', (row) => row.memory.toFixed(0)];
const BUSY = ['load', (row) => `${(row.busy * 100).toFixed(0)} %`];
const LOST = ['refused, lost', (row) => `${row.refused}, ${row.lost}`];

/** What a router costs that has nothing to do. */
async function atRest(router) {
  const before = usedBy(router.pid);
  await wait(REST_MS);
  return { restCpu: ((usedBy(router.pid) - before) / (REST_MS / 1000)) * 100, restMemory: memoryOf(router.pid) };
}

function run(workload, context) {
  return inFolder(context.parent, (folder) => measureRouter(workload, { seconds: SECONDS, ...context, folder }));
}

// ---- connections ----

const FIXED_RATE = 5000;
const FIXED_SECONDS = 6; // a connection of 10,000 posts every two seconds
const FILES_BESIDE = 200;

async function connections(context) {
  const rows = [];
  for (const count of [10, 1000, 10000]) {
    if (filesMax() < count + FILES_BESIDE) {
      context.say(`${count} connections need more open files than the ${filesMax()} that are allowed (ulimit -n)`);
      continue;
    }
    for (const kind of ['as fast as it goes', `${FIXED_RATE}/s`]) {
      tell(`connections: ${count}, ${kind}`);
      const fixed = kind !== 'as fast as it goes';
      const more = fixed ? { intervalMs: (count / FIXED_RATE) * 1000, seconds: FIXED_SECONDS } : {};
      rows.push({ count, kind, ...await run(DROP, { ...context, payload: context.payloads.star, connections: count, ...more }) });
    }
  }
  return rows;
}

// ---- routes ----

const pathOf = (n) => [`/api/v1/r${String(n).padStart(4, '0')}/hook`, `/r${String(n).padStart(4, '0')}`,
  `/r${String(n).padStart(4, '0')}/:tenant/in`][n % 3];

/** `count` files with a rule each, real ones but for those under load. */
function manyRules(count, loaded) {
  return async (folder, sinks) => {
    await mkdir(path.join(folder, 'rules'));
    for (let n = 1; n <= count; n++) {
      const where = loaded.route === n ? loaded.pattern : pathOf(n);
      const workload = loaded.route === n ? { ...DROP, path: where } : { ...STORED, path: where, targets: [`t${n}`] };
      await writeFile(path.join(folder, `rules/r${n}.lua`), ruleOf(workload, sinks));
    }
  };
}

async function routes(context) {
  const rows = [];
  for (const count of [1, 50, 1000]) {
    const middle = Math.ceil(count / 2);
    const loads = [
      { kind: 'the one in the middle', route: middle, pattern: `/api/v1/r${String(middle).padStart(4, '0')}/hook` },
      { kind: 'the last one, with parameters', route: count, pattern: '/:tenant/hooks/:name' },
    ];
    for (const loaded of loads) {
      tell(`routes: ${count}, ${loaded.kind}`);
      const where = loaded.pattern.replace(/:\w+/g, 'example');
      const result = await run({ ...DROP, path: where }, { ...context, payload: context.payloads.star, prepare: manyRules(count, loaded), before: atRest });
      rows.push({ count, ...loaded, ...result });
    }
  }
  return rows;
}

// ---- stores that are not empty ----

/** A store with one event that was delivered, then `count` more like it; targets: what they wait for, else they are delivered too. */
function filled(count, targets, payload) {
  return async (folder, sinks, workload) => {
    const { router: cpu } = cpusFor(workload.workers);
    await writeRules(folder, sinks, workload);
    if (count === 0) return;
    const router = await startRouter(folder, workload.workers, cpu);
    await postOne(`${router.url}/github`, payload);
    await until('the first delivery', async () => {
      const { workers } = await router.status();
      return workers.flatMap((worker) => worker.targets).some((target) => target.delivered > 0);
    });
    await router.stop();
    await fill(path.join(folder, 'data/tidewire.db'), [String(count), ...targets], cpu);
  };
}

const BYTES_A_ROW = 4000; // an event with its body, its delivery, its keys; twice over, for what a run adds

async function hasRoom(context, count) {
  const { bavail, bsize } = await statfs(context.parent);
  if (bavail * bsize > count * BYTES_A_ROW) return true;
  context.say(`${count} events need ${((count * BYTES_A_ROW) / 2 ** 30).toFixed(0)} GB on the disk`);
  return false;
}

async function stored(context) {
  const rows = [];
  for (const count of context.long ? [0, MILLION, 10 * MILLION] : [0, MILLION]) {
    if (!await hasRoom(context, count)) continue;
    tell(`stored: ${count}`);
    const payload = context.payloads.star;
    rows.push({ count, ...await run(STORED, { ...context, payload, prepare: filled(count, [], payload), before: atRest }) });
  }
  return rows;
}

/** What waits at the start: what there is to see without any load. */
async function startWaiting(context, targets, folder) {
  const places = cpusFor(1);
  const first = await startSink(places.sink); // of the event that becomes many: it has one delivery
  await filled(MILLION, targets, context.payloads.star)(folder, { one: first.url }, STORED);
  await first.end();
  const sink = await startSink(places.sink);
  await writeFile(path.join(folder, 'rules/bench.lua'), ruleOf({ ...STORED, targets: ['one', 'dead'] }, { one: sink.url, dead: NOBODY }));
  const router = await startRouter(folder, 1, places.router);
  const rest = await atRest(router);
  const before = { cpu: usedBy(router.pid), ms: performance.now(), ...await sink.stats() };
  await wait(SECONDS * 1000);
  const stats = await sink.stats();
  const seconds = (performance.now() - before.ms) / 1000;
  const delivered = stats.requests - before.requests;
  return { ...rest, readyMs: router.readyMs, firstMs: stats.first_us > 0 ? (stats.first_us - router.startedUs) / 1000 : NaN,
    delivered: delivered / seconds, cpu: ((usedBy(router.pid) - before.cpu) / delivered) * 1e4, repeated: stats.requests - stats.distinct,
    memory: peakMemoryOf(router.pid) };
}

async function waiting(context) {
  const rows = [];
  for (const [kind, targets] of [['a dead target', ['dead']], ['one that answers', ['one']], ['both, in turn', ['dead', 'one']]]) {
    tell(`waiting: ${kind}`);
    if (!await hasRoom(context, MILLION)) continue;
    rows.push({ kind, count: MILLION, ...await inFolder(context.parent, (folder) => startWaiting(context, targets, folder)) });
  }
  return rows;
}

// ---- sizes ----

const AT_ONCE_BYTES = 64 << 20; // of bodies on their way: the router takes 256 MB in all
const SIZE_SECONDS = 3;

async function sizes(context) {
  const rows = [];
  const all = [100, 1000, 10000, 100000, MILLION, 10 * MILLION];
  const slow = { ...STORED, kind: 'stored slow', targets: ['one', 'slow'] };
  for (const [workload, list] of [[{ ...DROP, kind: 'drop' }, all], [{ ...STORED, kind: 'stored' }, all], [slow, [MILLION]]]) {
    for (const bytes of list) {
      tell(`sizes: ${workload.kind}, ${bytes}`);
      const payload = context.payloads[bytes] ??= await writePayload(context.parent, String(bytes), signaturesFor(SIZE_SECONDS));
      const atOnce = Math.max(1, Math.min(CONNECTIONS, Math.floor(AT_ONCE_BYTES / bytes)));
      const result = await run({ ...workload, payload: 'push' }, { ...context, payload, connections: atOnce, seconds: SIZE_SECONDS });
      rows.push({ ...result, kind: workload.kind, bytes: payload.bytes });
    }
  }
  return rows;
}

// ---- ----

const count = (row) => row.count.toLocaleString('en');
const kind = (row) => row.kind;
const SERIES = {
  connections: { measure: connections, columns: [['connections', count], ['load', kind], CPU, GROWTH, RATE, ANSWER, MEMORY, BUSY, LOST] },
  routes: { measure: routes, columns: [['routes', count], ['asked for', kind], CPU, GROWTH, RATE, ANSWER, READY, REST, REST_CPU, MEMORY, LOST] },
  sizes: {
    measure: sizes,
    columns: [['bytes', (row) => row.bytes.toLocaleString('en')], ['', kind], ['cpu ms/event', (row) => (row.cpu / 10).toFixed(3)],
      ['cpu ms/MB', (row) => ((row.cpu / 10) * (1e6 / row.bytes)).toFixed(2)], RATE, ANSWER, MEMORY, BUSY, LOST],
  },
  stored: { measure: stored, columns: [['stored', count], CPU, GROWTH, RATE, ANSWER, DELAY, READY, REST, REST_CPU, MEMORY, LOST] },
  waiting: {
    measure: waiting,
    columns: [['waiting', count], ['for', kind], READY, ['first delivery ms', (row) => (Number.isFinite(row.firstMs) ? row.firstMs.toFixed(0) : '')],
      ['delivered/s', (row) => row.delivered.toFixed(0)], ['cpu s/10k', (row) => (row.delivered > 0 ? row.cpu.toFixed(3) : '')], REST, REST_CPU, MEMORY],
  },
};

function show(name, rows) {
  const { columns } = SERIES[name];
  console.log(`\n${name}`);
  printTable(columns.map(([title]) => title), rows.map((row) => columns.map(([, text]) => text(row, rows))));
}

function readOptions() {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, long: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
  });
  if (values.only && !SERIES[values.only]) throw new Error(`there is no series '${values.only}': ${Object.keys(SERIES).join(', ')}`);
  return values;
}

async function main() {
  const options = readOptions();
  const found = {};
  await inScratch(async (parent) => {
    const payloads = { star: await writePayload(parent, 'star', signaturesFor(SECONDS)) };
    for (const [name, series] of Object.entries(SERIES).filter(([one]) => !options.only || one === options.only)) {
      const notes = [];
      const rows = await series.measure({ parent, payloads, long: options.long, say: (note) => notes.push(note) });
      found[name] = { rows, notes };
      tell('');
      if (!options.json) show(name, rows);
      for (const note of notes) console.error(note);
    }
  });
  if (options.json) console.log(JSON.stringify(found, null, 1));
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
