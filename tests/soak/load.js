// Healthy events at a steady rate over kept connections, and how long each answer takes. No pipelining: what is due while a
// connection waits for its answer waits behind it, and that wait counts. The clock of an event starts when it is given to a
// connection, so that this process's own lateness is not the router's.
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { workerOf } from '../flow/hostile.js';

const TICK_MS = 1;
const ANSWER_MS = 10000; // no answer for so long: failed
const PROBES_MAX = 64;
const FAILURES_KEPT = 1000;

class Connection {
  constructor(load) {
    this.load = load;
    this.waiting = []; // events given to it and not sent yet: { n, from }
    this.busy = null; // the one whose answer is due
    this.worker = -1; // known from its first answer
    this.socket = null;
  }

  give(event) {
    this.waiting.push(event);
    this.next();
  }

  next() {
    if (this.busy || this.waiting.length === 0) return;
    this.busy = this.waiting.shift();
    this.text = '';
    const body = `{"n":${this.busy.n}}`;
    this.busy.sent = performance.now();
    this.open().write(`POST /healthy HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }

  open() {
    if (this.socket) return this.socket;
    const socket = net.connect(this.load.port, '127.0.0.1');
    this.socket = socket;
    this.worker = -1;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.onText(text));
    socket.on('error', (error) => (socket.why = error.code));
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (this.busy) this.end(0, -1, socket.why ?? 'closed');
    });
    return socket;
  }

  onText(text) {
    this.text += text;
    const head = this.text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.text)?.[1] ?? 0);
    if (this.text.length < head + 4 + length) return;
    const id = /\r\ntidewire-event-id: *(\S+)/i.exec(this.text)?.[1];
    if (id) this.worker = workerOf(id, this.load.workers);
    if (/\r\nconnection: *close/i.test(this.text.slice(0, head + 2))) this.drop();
    this.end(Number(this.text.slice(9, 12)), this.worker, this.text.slice(0, head));
  }

  end(status, worker, said) {
    const event = this.busy;
    this.busy = null;
    this.load.onAnswer(event, status, worker, said);
    this.next();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.destroy();
  }

  look(now) {
    if (!this.busy || now - this.busy.sent < ANSWER_MS) return;
    this.drop();
    this.end(0, this.worker, `no answer for ${ANSWER_MS} ms`);
  }
}

export class Load {
  /** events: how many there may be in all; came: who sees them delivered (catcher.js). */
  constructor({ port, workers, rate, perWorker, events, came }) {
    Object.assign(this, { port, workers, rate, perWorker, events, came });
    this.connections = [];
    this.accepted = new Uint8Array(events);
    this.n = 0;
    this.clear();
  }

  /** As many connections to each worker; later ones go where the kernel sends them. */
  async connect() {
    for (let worker = 0; worker < this.workers; worker++) {
      for (let i = 0; i < this.perWorker; i++) this.connections.push(await this.reach(worker));
    }
  }

  async reach(worker) {
    for (let i = 0; i < PROBES_MAX; i++) {
      const connection = new Connection(this);
      await new Promise((resolve) => connection.give({ n: this.n++, from: performance.now(), resolve }));
      if (connection.worker === worker) return connection;
      connection.drop();
    }
    throw new Error(`no connection of ${PROBES_MAX} reached worker ${worker}`);
  }

  start() {
    let due = performance.now();
    let turn = 0;
    this.timer = setInterval(() => {
      const now = performance.now();
      for (; due <= now && this.n < this.events; due += 1000 / this.rate) {
        this.connections[turn++ % this.connections.length].give({ n: this.n++, from: now });
      }
      for (const connection of this.connections) connection.look(now);
    }, TICK_MS);
  }

  /** Forgets what was measured: a new stretch begins. */
  clear() {
    this.began = performance.now();
    this.answers = []; // { from, took, worker }
    this.failures = []; // { at, why }: the first ones
    this.failed = 0;
  }

  onAnswer(event, status, worker, said) {
    const now = performance.now();
    if (status === 202) {
      this.accepted[event.n] = 1;
      this.answers.push({ from: event.from, took: now - event.from, worker });
    } else {
      this.failed++;
      if (this.failures.length < FAILURES_KEPT) this.failures.push({ at: Date.now(), why: `${status} ${said.split('\r\n')[0]}` });
    }
    event.resolve?.();
  }

  /** No event begins any more; the connections still answer. */
  pause() {
    clearInterval(this.timer);
  }

  isIdle() {
    const now = performance.now();
    for (const connection of this.connections) connection.look(now);
    return this.connections.every((one) => !one.busy && one.waiting.length === 0);
  }

  /** What still waits for an answer, or to be sent, has failed. */
  giveUp() {
    for (const connection of this.connections) {
      for (const event of connection.waiting.splice(0)) this.onAnswer(event, 0, -1, 'never sent');
      connection.drop();
      if (connection.busy) connection.end(0, connection.worker, 'no answer');
    }
  }

  /** Accepted and not delivered. */
  missing() {
    let missing = 0;
    for (let n = 0; n < this.n; n++) missing += this.accepted[n] && !this.came[n] ? 1 : 0;
    return missing;
  }

  close() {
    this.pause();
    for (const connection of this.connections) connection.drop();
  }
}

export function percentile(values, part) {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

/** Peaks: answers over `overMs` of one worker whose waits overlap are one stall. */
export function stalls(answers, overMs) {
  const slow = answers.filter((one) => one.took > overMs).sort((a, b) => a.from - b.from);
  const open = new Map(); // worker → the stall that goes on there
  const list = [];
  for (const one of slow) {
    const stall = open.get(one.worker);
    if (stall && one.from <= stall.until) {
      stall.until = Math.max(stall.until, one.from + one.took);
      stall.longest = Math.max(stall.longest, one.took);
    } else {
      const fresh = { until: one.from + one.took, longest: one.took };
      open.set(one.worker, fresh);
      list.push(fresh);
    }
  }
  return { count: list.length, longest: list.reduce((most, one) => Math.max(most, one.longest), 0) };
}
