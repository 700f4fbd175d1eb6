// What is posted: bodies of GitHub's own examples, and their signatures, written where post.lua reads them.
import { createHash, createHmac } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

export const SECRET = 'It is a secret to everybody';
export const PAYLOADS = ['push', 'star'];
const PUSH_BYTES = 7630;
const STAR_BYTES = 840;
const MARK_BYTES = 8; // what differs from body to body: eight digits
const EVENTS_PER_SECOND_MAX = 40000; // signatures made for each second of load
const SIGNATURES_MIN = 100000;

const require = createRequire(new URL('../package.json', import.meta.url));

function examples(name) {
  const all = require('@octokit/webhooks-examples');
  return (all.default ?? all).find((event) => event.name === name).examples;
}

function push() {
  const found = examples('push').map((example) => JSON.stringify(example)).find((body) => body.length === PUSH_BYTES);
  if (!found) throw new Error(`no example of a push has ${PUSH_BYTES} bytes: another version of @octokit/webhooks-examples?`);
  return { body: found, mark: '"after":"' };
}

/** GitHub's star events have 6 KB, most of it URLs of its API; without those it is what smaller senders post. */
function star() {
  const { action, starred_at, repository, sender } = examples('star')[0];
  const person = ({ login, id, node_id, html_url, type, site_admin }) => ({ login, id, node_id, html_url, type, site_admin });
  const { id, node_id, name, full_name, html_url, description, fork, created_at, stargazers_count, default_branch } = repository;
  const event = {
    action, starred_at,
    repository: { id, node_id, name, full_name, private: repository.private, owner: person(repository.owner), html_url, description, fork,
      created_at, stargazers_count, default_branch },
    sender: person(sender),
  };
  const short = JSON.stringify(event).length;
  event.repository.description = `${description ?? ''}${'.'.repeat(Math.max(0, STAR_BYTES - short))}`;
  return { body: JSON.stringify(event), mark: '"node_id":"' };
}

/** How many signatures a load of some seconds wants. */
export const signaturesFor = (seconds) => Math.max(SIGNATURES_MIN, seconds * EVENTS_PER_SECOND_MAX);

/** A push with as many commits as make it `bytes` long; what rules read comes last. */
function sized(bytes) {
  const commit = (n) => ({ id: String(n).padStart(40, '0'), message: `Change number ${n}\n\nWhat it is for.`, distinct: n % 2 === 0,
    author: { name: 'Mona Lisa', email: 'mona@example.com' }, added: [`src/${n}.c`], removed: [], modified: ['README.md', `tests/${n}.c`] });
  const end = { pusher: { name: 'a' }, repository: { full_name: 'b' }, ref: 'c', after: '0'.repeat(MARK_BYTES) };
  const commits = [];
  const fixed = JSON.stringify({ commits: [''], ...end }).length;
  for (let left = bytes - fixed, n = 0; ; n++) {
    left -= JSON.stringify(commit(n)).length + 1;
    if (left < 0) break;
    commits.push(commit(n));
  }
  const body = (note) => JSON.stringify({ commits: [note, ...commits], ...end });
  return { body: body('.'.repeat(bytes - body('').length)), mark: '"after":"', event: 'push' };
}

/** HMACs of the body with each number in it, without hashing what stands before the number each time (RFC 2104). */
function signaturesOf(head, tail, count) {
  const pad = (byte) => Buffer.alloc(64, byte).map((b, i) => b ^ (SECRET.charCodeAt(i) || 0));
  const inner = createHash('sha256').update(pad(0x36)).update(head);
  const outer = createHash('sha256').update(pad(0x5c));
  const signatures = Buffer.alloc(count * 64);
  for (let n = 0; n < count; n++) {
    const digest = inner.copy().update(`${String(n).padStart(MARK_BYTES, '0')}${tail}`).digest();
    signatures.write(outer.copy().update(digest).digest('hex'), n * 64, 'latin1');
  }
  return signatures;
}

/** Folder with `head`, `tail` and `count` signatures; { folder, event, bytes }. name: push, star, or a number of bytes. */
export async function writePayload(parent, name, count) {
  const { body, mark, event = name } = { push, star }[name]?.() ?? sized(Number(name));
  const at = body.indexOf(mark) + mark.length;
  const head = body.slice(0, at);
  const tail = body.slice(at + MARK_BYTES);
  const folder = path.join(parent, name);
  await mkdir(folder);
  await writeFile(path.join(folder, 'head'), head);
  await writeFile(path.join(folder, 'tail'), tail);
  await writeFile(path.join(folder, 'signatures'), signaturesOf(head, tail, count));
  return { folder, event, bytes: Buffer.byteLength(body), body };
}

/** { push, star }, as far as they are wanted, each with `count` distinct signed bodies. */
export async function writePayloads(parent, wanted, count) {
  const made = {};
  for (const name of wanted) made[name] = await writePayload(parent, name, count);
  return made;
}

/** One of them, posted from here; its key is no other request's. */
export async function postOne(url, { body, event }) {
  const answer = await fetch(url, { method: 'POST', body, headers: {
    'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  } });
  if (!answer.ok) throw new Error(`an event was answered with ${answer.status}: ${await answer.text()}`);
}
