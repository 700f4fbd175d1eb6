// Runs the workloads round by round and prints what they cost; run.sh says how it is called and what the columns are.
import { parseArgs } from 'node:util';
import { inFolder, inScratch, measure, measureRouter, quiet } from './measure.js';
import { PAYLOADS, signaturesFor, writePayloads } from './payloads.js';
import { CONNECTIONS, cpuCount, cpusFor, nginxMissing, startCeiling, startNginx, startSink } from './processes.js';
import { median, milliseconds, printTable, tell } from './table.js';
import { workloadsOf } from './workloads.js';

// ---- one run ----

const RUN = {
  async ceiling(workload, context) {
    const server = await startCeiling(cpusFor(1).router);
    const settle = async (loaded) => ({ accepted: loaded.requests - loaded.not_2xx, lost: 0 });
    return measure(server, workload, { ...context, beside: [], settle });
  },

  router: measureRouter,

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

function runOnce(workload, context) {
  return inFolder(context.parent, (folder) => RUN[workload.kind](workload, { ...context, folder, payload: context.payloads[workload.payload] }));
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
    tell(`${results.get(workload.title).length + 1}/${context.runs}  ${workload.title} `);
    const intervalMs = workload.halfOf ? intervalFor(workload, round) : null;
    const result = await runOnce(workload, { ...context, intervalMs });
    result.ratio = result.cpu / (round.get(`ceiling ${workload.payload}`) ?? result).cpu;
    if (workload.beside) result.besides = result.cpu / round.get(workload.beside).cpu;
    round.set(workload.title, result);
    results.get(workload.title).push(result);
  }
}

// ---- the table ----

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

function show(workloads, results, options) {
  if (options.json) {
    console.log(JSON.stringify({ cpus: cpuCount, seconds: Number(options.seconds), workloads: workloads.map((workload) => ({
      title: workload.title, kind: workload.kind, budget: workload.budget?.[workload.payload], median: summaryOf(results.get(workload.title)),
      runs: results.get(workload.title) })) }, null, 1));
    return;
  }
  const measured = workloads.filter((workload) => results.get(workload.title).length > 0);
  printTable(TITLES, measured.map((workload) => rowOf(workload, results.get(workload.title))));
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
  await inScratch(async (parent) => {
    const seconds = Number(options.seconds);
    const wanted = [...new Set(workloads.map((workload) => workload.payload))];
    const payloads = await writePayloads(parent, wanted, signaturesFor(seconds));
    const results = new Map(workloads.map((workload) => [workload.title, []]));
    for (let i = 0; i < Number(options.runs); i++) await runRound(workloads, { parent, payloads, seconds, runs: options.runs }, results);
    tell('');
    show(workloads, results, options);
  });
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
