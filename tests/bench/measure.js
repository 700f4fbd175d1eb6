// One run: a server, its load, what it used, and what came of what it accepted.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { ROOT, cpuOf, cpusFor, endAll, load, peakMemoryOf, startRouter, startSink, threadsOf } from './processes.js';
import { writeRules } from './workloads.js';

const SLOW_MS = 1000;
const DRAIN_MS = 120000;
const LOOK_MS = 50;
const QUIET_LOOKS = 3; // looks without a change, after which nothing more comes

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks until the sink has not got anything new for a while, or the time is over. */
export async function quiet(sink) {
  let seen = -1;
  const end = Date.now() + DRAIN_MS;
  for (let same = 0; same < QUIET_LOOKS && Date.now() < end;) {
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
export async function measure(server, workload, { payload, seconds, intervalMs, connections, sink, beside, settle }) {
  const places = cpusFor(workload.workers);
  const before = cpuOf(server.pid);
  const loaded = await load(`${server.url}${workload.path ?? '/github'}`, payload,
    { seconds, mode: workload.fresh ? 'fresh' : 'same', intervalMs, connections, cpu: places.load, beside });
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

/**
 * A router on a store of its own, and its targets. context: `prepare(folder, sinks, workload)` writes other rules, or fills the store,
 * before it starts; `before(router)` and `after(router)` are called around the load and add to the result; `env` is the router's.
 */
export async function measureRouter(workload, context) {
  const places = cpusFor(workload.workers);
  const sink = await startSink(places.sink);
  const slow = workload.targets.includes('slow') ? await startSink(places.sink, SLOW_MS) : null;
  await (context.prepare ?? writeRules)(context.folder, { fast: sink.url, slow: slow?.url }, workload);
  const router = await startRouter(context.folder, workload.workers, places.router, context.env);
  const before = await context.before?.(router);
  const targets = workload.targets.filter((name) => name !== 'slow');
  const settle = async (loaded) => {
    const { counts, stats } = await drain(router, sink, targets);
    const uncounted = Math.max(0, loaded.requests - loaded.not_2xx - counts.accepted - counts.duplicates);
    const undelivered = Math.max(0, counts.accepted * targets.length - stats.distinct);
    return { accepted: counts.accepted, duplicates: counts.duplicates, lost: uncounted + undelivered, repeated: stats.requests - stats.distinct,
      commits: counts.commits, readyMs: router.readyMs, ...before, ...await context.after?.(router) };
  };
  return measure(router, workload, { ...context, sink, beside: slow ? [sink, slow] : [sink], settle });
}

/** Runs `work(folder)` with a folder of its own; whatever it has started is ended then. */
export async function inFolder(parent, work) {
  const folder = await mkdtemp(path.join(parent, 'run-'));
  try {
    return await work(folder);
  } finally {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A folder for all runs of a script: in the checkout, since the store wants a disk, not memory. It goes at every end. */
export async function inScratch(work) {
  await mkdir(path.join(ROOT, 'build/bench'), { recursive: true });
  const parent = await mkdtemp(path.join(ROOT, 'build/bench/bench-'));
  const clean = () => rm(parent, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, async () => {
      await endAll();
      await clean();
      process.exit(130);
    });
  }
  try {
    await work(parent);
  } finally {
    await endAll();
    await clean();
  }
}
