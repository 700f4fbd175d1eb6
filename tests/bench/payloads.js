// What is posted: bodies of GitHub's own examples, and their signatures, written where post.lua reads them.
import { createHmac } from 'node:crypto';
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

/** Folder with `head`, `tail` and `count` signatures; { folder, event, bytes }. */
async function write(parent, event, count) {
  const { body, mark } = { push, star }[event]();
  const at = body.indexOf(mark) + mark.length;
  const head = body.slice(0, at);
  const tail = body.slice(at + MARK_BYTES);
  const signatures = Buffer.alloc(count * 64);
  for (let n = 0; n < count; n++) {
    const digest = createHmac('sha256', SECRET).update(`${head}${String(n).padStart(MARK_BYTES, '0')}${tail}`).digest('hex');
    signatures.write(digest, n * 64, 'latin1');
  }
  const folder = path.join(parent, event);
  await mkdir(folder);
  await writeFile(path.join(folder, 'head'), head);
  await writeFile(path.join(folder, 'tail'), tail);
  await writeFile(path.join(folder, 'signatures'), signatures);
  return { folder, event, bytes: Buffer.byteLength(body) };
}

/** { push, star }, as far as they are wanted, each with `count` distinct signed bodies. */
export async function writePayloads(parent, wanted, count) {
  const made = {};
  for (const event of wanted) made[event] = await write(parent, event, count);
  return made;
}
