// What is measured: rules, and what is expected of them.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

// A rule reads five fields of the event and makes a message of some 300 bytes, as most rules do.
const READS = {
  push: `
    local push = event.body
    local who, where, what, at, how_many = push.pusher.name, push.repository.full_name, push.ref, push.after, #push.commits`,
  star: `
    local star = event.body
    local who, where, what, at, how_many = star.sender.login, star.repository.full_name, star.action, star.starred_at, star.repository.id`,
};

const MESSAGE = `{
      json = {
        text = who .. " did something to " .. where .. ", and this is the line that a person will read in a channel about it",
        repository = where, what = what, at = at, count = how_many, source = "tidewire bench", channel = "#development",
      },
      headers = { ["X-Sent-At"] = event.headers["x-sent-at"] }, -- for the target, which measures the delay
    }`;

const OPTIONS = {
  received: 'ack = "received", keep = false, dedupe = false,',
  stored: 'ack = "stored",',
};

// As many at once as the load has connections, so that no workload waits for a setting.
const target = (name, url) => `local ${name} = target "${name}" { url = "${url}/${name}", private = true, concurrency = 64 }\n`;

/** The rule file of a workload. sinks: { fast, slow, dead } URLs. */
export function ruleOf(workload, sinks) {
  const targets = workload.targets.map((name) => target(name, sinks[name] ?? sinks.fast)).join('');
  const decide = workload.targets.length > 0
    ? `local message = ${MESSAGE}\n${workload.targets.map((name) => `    send(${name}, message)\n`).join('')}`
    : `if who ~= "" and where ~= "" and what ~= "" and at ~= "" and how_many > 0 then drop "not wanted" end\n`;
  return `${targets}
route "${workload.path ?? '/github'}" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  ${OPTIONS[workload.ack]}
  handle = function(event)${READS[workload.payload]}
    ${decide}  end,
}
`;
}

export async function writeRules(folder, sinks, workload) {
  await mkdir(path.join(folder, 'rules'));
  await writeFile(path.join(folder, 'rules/bench.lua'), ruleOf(workload, sinks));
}

// fresh: each request is a new event (post.lua). budget: cpu s/10k by payload (design, Budgets).
const LIST = [
  { name: 'drop', ack: 'received', targets: [], budget: { push: 0.2, star: 0.12 } },
  { name: 'one', ack: 'received', targets: ['one'], fresh: true, budget: { push: 0.33, star: 0.25 } },
  { name: 'three', ack: 'received', targets: ['one', 'two', 'three'], fresh: true },
  { name: 'stored', ack: 'stored', targets: ['one'], fresh: true, budget: { push: 0.52, star: 0.38 } },
  { name: 'stored three', ack: 'stored', targets: ['one', 'two', 'three'], fresh: true, budget: { push: 0.8 } },
  { name: 'stored slow', ack: 'stored', targets: ['one', 'slow'], fresh: true },
  { name: 'stored half', ack: 'stored', targets: ['one'], fresh: true, halfOf: 'stored' },
  { name: 'drop ×2', ack: 'received', targets: [], workers: 2 },
  { name: 'stored ×2', ack: 'stored', targets: ['one'], fresh: true, workers: 2 },
];

/** All workloads in the order of a round: the ceiling first, then by payload; nginx right behind the workload it is compared with. */
export function workloadsOf(payloads, text, peers) {
  const round = [];
  for (const payload of payloads) {
    const all = LIST.map((workload) => ({ kind: 'router', workers: 1, ...workload, payload, title: `${workload.name} ${payload}` }));
    const chosen = all.filter((one) => one.title.includes(text));
    const needed = all.filter((one) => chosen.includes(one) || chosen.some((other) => other.halfOf === one.name));
    if (needed.length === 0) continue;
    round.push({ kind: 'ceiling', name: 'ceiling', payload, title: `ceiling ${payload}`, targets: [], workers: 1 });
    for (const one of needed) {
      round.push(one);
      if (peers && one.ack === 'received' && one.workers === 1) {
        round.push({ ...one, kind: 'nginx', budget: undefined, title: `nginx ${one.title}`, beside: one.title });
      }
    }
  }
  return round;
}
