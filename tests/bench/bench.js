// Runs the workloads round by round and prints what they cost; run.sh says how it is called and what the columns are.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PAYLOADS, writePayloads } from './payloads.js';
import {
  CONNECTIONS, ROOT, cpuCount, cpuOf, cpusFor, endAll, load, nginxMissing, peakMemoryOf, startCeiling, startNginx, startRouter, startSink, threadsOf,
} from './processes.js';
import { ruleOf, workloadsOf } from './workloads.js';

const SLOW_MS = 1000;
const DRAIN_MS = 120000;
const LOOK_MS = 50;
const QUIET_LOOKS = 3; // looks without a change, after which nothing more comes
const EVENTS_PER_SECOND_MAX = 40000; // signatures made for each second of load
const SIGNATURES_MIN = 100000;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// ---- one run ----

/** Looks until the sink has not got anything new for a while. */
async function quiet(sink) {
  let seen = -1;
  for (let same = 0; same < QUIET_LOOKS;) {
    await wait(LOOK_MS);
    const { requests } = await sink.stats();
    same = requests === seen ? same + 1 : 0;
    seen = requests;
  }
}

/** What the router has counted: { accepted, duplicates, delivered, open }, of all workers; `targets` without the slow one. */
async function countsOf(router, targets) {
  const { workers, store } = await router.status();
  const sum = (list, name) => list.reduce((total, one) => total + one[name], 0);
  const routes = workers.flatMap((worker) => worker.requests);
  const asked = workers.flatMap((worker) => worker.targets).filter((one) => targets.includes(one.target));
  return { accepted: sum(routes, 'accepted'), duplicates: sum(routes, 'duplicates'), delivered: sum(asked, 'delivered'),
    open: sum(asked, 'waiting') + sum(asked, 'sending'), results: store.results, commits: store.commits };
}

/** Waits until every accepted event has ended; { counts, stats } then, or when the time is over. */
async function drain(router, sink, targets) {
  const end = Date.now() + DRAIN_MS;
  for (;;) {
    if (targets.length > 0) await quiet(sink); // asking the router costs it something: not before it is nearly through
    const counts = await countsOf(router, targets);
    const stats = await sink.stats();
    const expected = counts.accepted * targets.length;
    const ended = stats.distinct >= expected && counts.delivered >= expected && counts.open === 0;
    if (ended || Date.now() > end) return { counts, stats };
    await wait(LOOK_MS);
  }
}

/** What every kind of server has in common: the load against it, what it used, what came of it. */
async function measure(server, workload, { payload, seconds, intervalMs, sink, beside, settle }) {
  const places = cpusFor(workload.workers);
  const before = cpuOf(server.pid);
  const loaded = await load(server.url, payload,
    { seconds, mode: workload.fresh ? 'fresh' : 'same', intervalMs, cpu: places.load, beside });
  const { accepted, lost, ...more } = await settle(loaded);
  const after = cpuOf(server.pid);
  const [user, system] = [after.user - before.user, after.system - before.system];
  const stats = await sink?.stats();
  const startedUs = loaded.ended_us - loaded.load_us;
  const drainedUs = Math.max(loaded.ended_us, workload.targets.length > 0 ? stats.last_us : 0) - startedUs;
  return {
    cpu: ((user + system) / accepted) * 1e4, user, system, threads: threadsOf(server.pid), accepted, lost,
    refused: loaded.not_2xx + loaded.failed,
    rate: (loaded.requests - loaded.not_2xx) / (loaded.load_us / 1e6), sustained: accepted / (drainedUs / 1e6),
    answerMs: [loaded.p50_us, loaded.p99_us, loaded.max_us].map((us) => us / 1000),
    delayMs: stats?.delay_us.count ? [stats.delay_us.p50, stats.delay_us.p99].map((us) => us / 1000) : null,
    memory: peakMemoryOf(server.pid), busy: loaded.busy, ...more,
  };
}

const RUN = {
  async ceiling(workload, context) {
    const server = await startCeiling(cpusFor(1).router);
    const settle = async (loaded) => ({ accepted: loaded.requests - loaded.not_2xx, lost: 0 });
    return measure(server, workload, { ...context, beside: [], settle });
  },

  async router(workload, context) {
    const places = cpusFor(workload.workers);
    const sink = await startSink(places.sink);
    const slow = workload.targets.includes('slow') ? await startSink(places.sink, SLOW_MS) : null;
    await mkdir(path.join(context.folder, 'rules'));
    await writeFile(path.join(context.folder, 'rules/bench.lua'), ruleOf(workload, workload.payload, { fast: sink.url, slow: slow?.url }));
    const router = await startRouter(context.folder, workload.workers, places.router);
    const targets = workload.targets.filter((name) => name !== 'slow');
    const settle = async (loaded) => {
      const { counts, stats } = await drain(router, sink, targets);
      const uncounted = Math.max(0, loaded.requests - loaded.not_2xx - counts.accepted - counts.duplicates);
      const undelivered = Math.max(0, counts.accepted * targets.length - stats.distinct);
      return { accepted: counts.accepted, duplicates: counts.duplicates, lost: uncounted + undelivered, repeated: stats.requests - stats.distinct,
        commits: counts.commits };
    };
    return measure(router, workload, { ...context, sink, beside: slow ? [sink, slow] : [sink], settle });
  },

  /** Answers after its deliveries, so there is nothing to wait for. */
  async nginx(workload, context) {
    const places = cpusFor(1);
    const sink = await startSink(places.sink);
    const server = await startNginx(context.folder, sink.port, workload, places.router);
    const settle = async (loaded) => {
      await quiet(sink);
      const accepted = loaded.requests - loaded.not_2xx;
      const { requests } = await sink.stats();
      return { accepted, lost: Math.max(0, accepted * workload.targets.length - requests) };
    };
    return measure(server, workload, { ...context, sink, beside: [sink], settle });
  },
};

async function runOnce(workload, context) {
  const folder = await mkdtemp(path.join(context.parent, 'run-'));
  try {
    return await RUN[workload.kind](workload, { ...context, folder, payload: context.payloads[workload.payload] });
  } finally {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  }
}

// ---- rounds ----

/** Between two requests of a connection, for half of the rate that was just reached; null: none was. */
function intervalFor(workload, round) {
  const full = round.get(`${workload.halfOf} ${workload.payload}`);
  return full ? (CONNECTIONS / (full.rate / 2)) * 1000 : null;
}

async function runRound(workloads, context, results) {
  const round = new Map();
  for (const workload of workloads) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${results.get(workload.title).length + 1}/${context.runs}  ${workload.title} `);
    const intervalMs = workload.halfOf ? intervalFor(workload, round) : null;
    const result = await runOnce(workload, { ...context, intervalMs });
    result.ratio = result.cpu / (round.get(`ceiling ${workload.payload}`) ?? result).cpu;
    if (workload.beside) result.besides = result.cpu / round.get(workload.beside).cpu;
    round.set(workload.title, result);
    results.get(workload.title).push(result);
  }
}

// ---- the table ----

function median(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? NaN : sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summaryOf(runs) {
  const of = (pick) => median(runs.map(pick));
  const sum = (pick) => runs.reduce((total, run) => total + (pick(run) ?? 0), 0);
  return {
    cpu: of((run) => run.cpu), least: Math.min(...runs.map((run) => run.cpu)), most: Math.max(...runs.map((run) => run.cpu)),
    ratio: of((run) => run.ratio), besides: of((run) => run.besides), rate: of((run) => run.rate), sustained: of((run) => run.sustained),
    answerMs: [0, 1, 2].map((i) => of((run) => run.answerMs[i])),
    delayMs: runs.every((run) => run.delayMs) ? [0, 1].map((i) => of((run) => run.delayMs[i])) : null,
    memory: of((run) => run.memory), busy: of((run) => run.busy),
    refused: sum((run) => run.refused), lost: sum((run) => run.lost), duplicates: sum((run) => run.duplicates), repeated: sum((run) => run.repeated),
  };
}

const milliseconds = (ms) => (ms >= 100 ? ms.toFixed(0) : ms.toFixed(1));

function notesOf(workload, summary) {
  const notes = [];
  if (workload.beside) notes.push(`${summary.besides.toFixed(2)} × ${workload.beside}`);
  if (summary.duplicates) notes.push(`${summary.duplicates} duplicates: too few signatures`);
  if (summary.repeated) notes.push(`${summary.repeated} deliveries came again`);
  return notes.join(', ');
}

function rowOf(workload, runs) {
  const summary = summaryOf(runs);
  return [
    workload.title, `${summary.cpu.toFixed(3)} (${summary.least.toFixed(3)}–${summary.most.toFixed(3)})`, summary.ratio.toFixed(2),
    workload.budget?.[workload.payload]?.toFixed(2) ?? '', summary.rate.toFixed(0), summary.sustained.toFixed(0),
    summary.answerMs.map(milliseconds).join(' / '), summary.delayMs?.map(milliseconds).join(' / ') ?? '', summary.memory.toFixed(0),
    `${(summary.busy * 100).toFixed(0)} %`, String(summary.refused), String(summary.lost), notesOf(workload, summary),
  ];
}

const TITLES = [
  'workload', 'cpu s/10k', '× ceiling', 'budget', 'accepted/s', 'sustained/s', 'answer ms', 'delay ms', 'MB', 'load', 'refused', 'lost', '',
];

function print(rows) {
  const widths = TITLES.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  for (const row of [TITLES, ...rows]) {
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd());
  }
}

function show(workloads, results, options) {
  if (options.json) {
    console.log(JSON.stringify({ cpus: cpuCount, seconds: Number(options.seconds), workloads: workloads.map((workload) => ({
      title: workload.title, kind: workload.kind, budget: workload.budget?.[workload.payload], median: summaryOf(results.get(workload.title)),
      runs: results.get(workload.title) })) }, null, 1));
    return;
  }
  print(workloads.filter((workload) => results.get(workload.title).length > 0).map((workload) => rowOf(workload, results.get(workload.title))));
}

// ---- ----

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '3' },
      runs: { type: 'string', default: '5' },
      only: { type: 'string', default: '' },
    },
  });
  if (!/^[1-9]\d*$/.test(values.seconds) || !/^[1-9]\d*$/.test(values.runs)) throw new Error('--seconds and --runs want a whole number above zero');
  return values;
}

async function main() {
  const options = readOptions();
  const missing = options.peers ? nginxMissing() : null;
  if (missing) console.error(missing);
  const workloads = workloadsOf(PAYLOADS, options.only, options.peers && !missing);
  if (workloads.length === 0) throw new Error(`no workload has '${options.only}' in its name`);
  await mkdir(path.join(ROOT, 'build/bench'), { recursive: true });
  const parent = await mkdtemp(path.join(ROOT, 'build/bench/bench-')); // in the checkout: the store wants a disk, not memory
  const clean = () => rm(parent, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, async () => {
      await endAll();
      await clean();
      process.exit(130);
    });
  }
  try {
    const seconds = Number(options.seconds);
    const wanted = [...new Set(workloads.map((workload) => workload.payload))];
    const payloads = await writePayloads(parent, wanted, Math.max(SIGNATURES_MIN, seconds * EVENTS_PER_SECOND_MAX));
    const results = new Map(workloads.map((workload) => [workload.title, []]));
    for (let i = 0; i < Number(options.runs); i++) await runRound(workloads, { parent, payloads, seconds, runs: options.runs }, results);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    show(workloads, results, options);
  } finally {
    await endAll();
    await clean();
  }
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
