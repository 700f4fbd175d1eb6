// What the tests of hostile rules share: the scripts of hostile/, the healthy rule beside them, and their router.
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import { request, until } from './support.js';

const FOLDER = new URL('./hostile/', import.meta.url);
const OUTCOMES = ['error', 'cpu', 'wait', 'memory', 'stack', 'done', 'dropped'];
const CONNECTIONS_MAX = 64; // until each worker has one: more cannot be chance

/**
 * The first line: "-- class: loop · expect: cpu error · says: words · where: no · events: 30". expect: what the event may come to;
 * says: words of the reason; where: no: the reason names no file:line, since the rule's author wrote all of it; events: how many it takes.
 */
function readHeader(name, text) {
  const entries = text.slice(0, text.indexOf('\n')).replace(/^-- /, '').split(' · ').map((part) => /^(\w+): (.*)$/.exec(part)?.slice(1));
  if (!entries.every(Boolean)) throw new Error(`hostile/${name}.lua: the first line is "-- class: … · expect: …"`);
  const header = Object.fromEntries(entries);
  const expect = header.expect?.split(' ') ?? [];
  const wrong = expect.find((one) => !OUTCOMES.includes(one));
  if (!header.class || expect.length === 0 || wrong) throw new Error(`hostile/${name}.lua: expect is of ${OUTCOMES.join(' ')}`);
  return { class: header.class, expect, says: header.says, where: header.where !== 'no', events: Number(header.events ?? 1) };
}

/** Every script: { name, text, class, expect, says, where, events }, sorted by name. */
export function hostileScripts() {
  return readdirSync(FOLDER).filter((file) => file.endsWith('.lua')).sort().map((file) => {
    const name = file.slice(0, -'.lua'.length);
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    return { name, text, ...readHeader(name, text) };
  });
}

/** At most `count` of each class: the first ones that `prefer` names, then those that come first. */
export function someOfEach(scripts, count, prefer = []) {
  const seen = {};
  const rank = (script) => (prefer.includes(script.name) ? 0 : 1);
  const chosen = [...scripts].sort((a, b) => rank(a) - rank(b)).filter((script) => (seen[script.class] = (seen[script.class] ?? 0) + 1) <= count);
  return scripts.filter((script) => chosen.includes(script));
}

/** The rule files that stand beside a hostile one. The healthy rule throws and catches, and takes callbacks. */
export function healthyRules(targetUrl) {
  return {
    'lib/targets.lua': `return { catcher = target "catcher" { url = "${targetUrl}", private = true } }\n`,
    'healthy.lua': `local targets = require "lib.targets"
local function fail()
  local nothing
  return nothing.x
end

route "/healthy" {
  verify = verify.none "test",
  handle = function(event)
    local ok, why = pcall(error, "x")
    assert(not ok and why == "x")
    ok, why = pcall(fail)
    assert(not ok and why:find("index local 'nothing'", 1, true), why)
    assert(("abc"):gsub("b", function(c) return c:upper() end) == "aBc")
    local list = { 2, 1 }
    table.sort(list, function(a, b) return a < b end)
    assert(list[1] == 1)
    send(targets.catcher, { json = { n = event.body.n } })
  end,
}
`,
  };
}

/** What became of an event, in the words of `expect`. null: not ended yet. A dead delivery is not the handler's fault. */
export function outcomeOf(event) {
  if (!event || !['done', 'dropped', 'dead'].includes(event.state)) return null;
  if (event.state !== 'dead') return event.state;
  return event.reason ? /^\w+/.exec(event.reason)?.[0] : 'done';
}

/** The worker that accepted an event: its id says so in the last two bytes. */
export function workerOf(id, workers) {
  return parseInt(id.slice(-4), 16) % workers;
}

const json = { 'content-type': 'application/json' };

export function post(port, agent, route, body) {
  return request({ host: '127.0.0.1', port, path: route, method: 'POST', headers: json, agent }, JSON.stringify(body));
}

/** One keep-alive connection to each worker, for as long as the server leaves them open. */
export class Lines {
  constructor(port, workers) {
    this.port = port;
    this.workers = workers;
    this.agents = [];
  }

  static newAgent() {
    return new http.Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** A healthy event over the connection to this worker, which is made if there is none (any more). */
  async healthy(worker, n) {
    for (let i = 0; i < CONNECTIONS_MAX; i++) {
      const agent = this.agents[worker] ?? Lines.newAgent();
      const answer = await post(this.port, agent, '/healthy', { n });
      if (answer.status !== 202) return answer;
      const reached = workerOf(answer.headers['tidewire-event-id'], this.workers);
      if (this.agents[reached] !== agent) this.agents[reached]?.destroy();
      if (this.agents[worker] === agent && reached !== worker) this.agents[worker] = undefined;
      this.agents[reached] = agent;
      if (reached === worker) return answer;
    }
    throw new Error(`no connection of ${CONNECTIONS_MAX} reached worker ${worker}`);
  }

  /** An event over the connection that the last healthy one of this worker went over. */
  hostile(worker, route, body) {
    return post(this.port, this.agents[worker], route, body);
  }

  close() {
    for (const agent of this.agents) agent?.destroy();
  }
}

/** The event once it has ended, at most deadlineMs from now. */
export async function ended(router, id, deadlineMs) {
  return until(`event ${id} to end`, async () => {
    const event = await router.event(id);
    return outcomeOf(event) && event;
  }, deadlineMs);
}
