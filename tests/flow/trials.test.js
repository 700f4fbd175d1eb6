// tidewire test: what test files can say, what they are told, and what comes out of it; over the real binary.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BINARY, command, Router, SECRET, until } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** A folder with these files below rules/. */
async function folderOf(files) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidewire-trials-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, 'rules', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return folder;
}

const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/SECRET|TOKEN|_URL$/.test(name)));
const run = async (files, ...words) => {
  const folder = await folderOf(files);
  return { folder, ...(await command(['test', ...words], { cwd: folder, env: bare })) };
};

/** Runs one test file beside the rules; all its tests have to pass. */
async function passes(rules, tests, count) {
  const { code, stdout, stderr } = await run({ 'a.lua': rules, 'a_test.lua': tests });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`^●{${count}}\n${count} tests? passed in \\d+\\.\\d\\d s\n$`), stdout);
}

/** A sender's own key, as it shows it. */
function publicKey(kind, options) {
  return generateKeyPairSync(kind, options).publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
}

/** Runs one test that has to fail; gives what is said of it. */
async function fails(rules, body) {
  const { code, stdout } = await run({ 'a.lua': rules, 'a_test.lua': `test "it" (function()\n${body}\nend)\n` });
  assert.equal(code, 1, stdout);
  return stdout;
}

const CHAT = `
local chat = target "chat" { url = secret "CHAT_PLACE" }
route "/in" {
  verify = verify.none "tests",
  handle = function(event) send(chat, { json = { text = event.body.text, n = event.body.n }, path = "room/1", query = { q = "x y" } }) end,
}
`;

describe('what a test sees of a run', () => {
  test('status, state, response, id, and what was sent', () => passes(CHAT, `
test "all of it" (function()
  local run = feed("/in", { json = { text = "hello", n = 9007199254740993LL } })
  expect(run.status):is(202)
  expect(run.state):is "done"
  expect(run.response.json.id):is(run.id)
  expect(run.response.headers["Tidewire-Event-Id"]):is(run.id)
  expect(run.sent):has(1)
  local message = run.sent[1]
  expect(message):like { target = "chat", method = "POST", path = "/room/1", query = "q=x%20y" }
  expect(message.json):is { text = "hello", n = 9007199254740993LL }
  expect(message.text):contains "9007199254740993"
  expect(message.headers["Content-Type"]):is "application/json"
  expect(message.headers["idempotency-key"]):is(run.deliveries[1].id)
  expect(run.deliveries[1]):like { target = "chat", state = "delivered", attempts = 1, tries = { { status = 200 } } }
end)`, 1));

  test('a run is live: its fields say how things are when they are looked at', () => passes(`
    local slow = target "slow" { url = "https://slow.example.com", rate = "1/s" }
    route "/in" { verify = verify.none "tests", handle = function(event) sleep "2s" send({ slow, slow }, event) end }
  `, `
test "waiting, then delivering, then done" (function()
  local run = feed("/in", { text = "x" })
  expect(run.state):is "waiting"
  clock.pass "1999ms"
  expect(run.state):is "waiting"
  clock.pass "1ms"
  expect(run.state):is "delivering"
  expect(run.sent):has(1)
  clock.pass "1s"
  expect(run.state):is "done"
  expect(run.sent):has(2)
end)`, 1));

  test('a sender that waits for its answer, and one that sends a list', () => passes(`
    local t = target "t" { url = env "T_URL" }
    route "/asks" {
      verify = verify.none "tests", ack = "handled", ack_within = "5s", reply = { status = 200, json = { text = "later" } },
      handle = function(event) sleep(event.body.wait) respond(201, { json = { text = "done" } }) end,
    }
    route "/list" {
      verify = verify.none "tests", each = true, dedupe = "body.id",
      handle = function(event) if event.body.id == 2 then drop "two" end send(t, event) end,
    }
  `, `
test "time passes until it has its answer" (function()
  local run = feed("/asks", { json = { wait = "3s" } })
  expect(run.status):is(201)
  expect(run.response.json):is { text = "done" }
  expect(time.iso(time.now())):is "2026-01-05T09:00:03Z"
end)
test "which is the static one after ack_within" (function()
  local run = feed("/asks", { json = { wait = "6s" } })
  expect(run.response.json):is { text = "later" }
  expect(run.state):is "waiting"
  clock.pass "1s"
  expect(run.state):is "done"
end)
test "all events of a list" (function()
  local run = feed("/list", { json = { { id = 1 }, { id = 2 }, { id = 3 } } })
  expect(run.ids):has(3)
  expect(run.sent):has(2)
  expect(run.deliveries):has(2)
  expect(run):like { state = "dropped", reason = "two" }
  expect(map(run.sent, function(message) return message.json.id end)):is { 1, 3 }
end)`, 3));

  test('dropped, failed, raised, and why', () => passes(`
    route "/in" {
      verify = verify.none "tests",
      handle = function(event)
        if event.body == "drop" then drop "not wanted" end
        if event.body == "fail" then fail "never" end
        error("raised")
      end,
    }
  `, `
test "drop" (function()
  local run = feed("/in", { text = "drop" })
  expect(run.state):is "dropped"
  expect(run.reason):is "not wanted"
end)
test "fail is dead at once" (function()
  local run = feed("/in", { text = "fail" })
  expect(run.state):is "dead"
  expect(run):fails "never"
end)
test "an error is tried five times, then it is dead" (function()
  local run = feed("/in", { text = "x" })
  expect(run.state):is "waiting"
  expect(run.attempt):is(1)
  expect(run):fails "rules/a.lua:7: raised"
  clock.pass "2h"
  expect(run.state):is "dead"
  expect(run.attempt):is(5)
end)
test "a request is a POST with a body, a head and an address of its own" (function()
  expect(feed("/in", { method = "GET" }).status):is(405)
  expect(feed("/nowhere").status):is(404)
  expect(feed("/nowhere").state):is "refused"
end)`, 4));
});

describe('senders', () => {
  const github = `
    route "/github" {
      from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
      when = { type = "push", ["body.ref"] = "refs/heads/main" },
      handle = function(event) end,
    }`;

  test('a signature by the stand-in, a wrong one, none; ignored is answered like accepted', () => passes(github, `
test "signed" (function() expect(feed("/github", sample.github.push).state):is "done" end)
test "merged into the sample, whose other fields stay" (function()
  local run = feed("/github", sample.github.push { body = { ref = "refs/heads/wip" } })
  expect(run.state):is "ignored"
  expect(run.status):is(202)
  expect(feed("/github", sample.github.issues).state):is "ignored"
end)
test "wrong" (function()
  local run = feed("/github", sample.github.push { sign_with = "not the secret" })
  expect(run.status):is(401)
  expect(run.state):is "refused"
  expect(run):fails "could not be verified"
  expect(feed("/github", sample.github.push { sign_with = false }).status):is(401)
end)
test "each has a delivery id of its own, unless a header says which" (function()
  feed("/github", sample.github.push)
  expect(feed("/github", sample.github.push { body = { after = "1" } }).state):is "done"
  local same = sample.github.push { headers = { ["X-GitHub-Delivery"] = "d1" }, body = { after = "2" } }
  expect(feed("/github", same).state):is "done"
  expect(feed("/github", same).state):is "duplicate"
end)`, 4));

  test('a sender that signs with a key of its own needs no key to be set', () => passes(`
    route "/sendgrid" { from = provider.sendgrid { public_key = env "SENDGRID_PUBLIC_KEY" }, handle = function(event) drop(event.verified) end }
    route "/discord" { from = provider.discord { public_key = env "DISCORD_APP" }, handle = function(event) drop(event.verified) end }
    route "/standard" { from = provider.standard { public_key = env "STANDARD_KEY" }, handle = function(event) drop(event.verified) end }
  `, `
test "each signs, and nobody else" (function()
  local samples = { sendgrid = sample.sendgrid.delivered, discord = sample.discord.APPLICATION_AUTHORIZED,
    standard = sample.standard["invoice.paid"] }
  for name, given in pairs(samples) do
    expect(feed("/" .. name, given)):like { state = "dropped", reason = name }
    expect(feed("/" .. name, given { sign_with = "another" }).status):is(401)
  end
end)`, 1));

  test('a sender whose certificate is fetched has one that stands in', () => passes(`
    local function seen(event) drop(event.verified .. " " .. event.type) end
    route "/sns" { from = provider.sns { topic = "arn:aws:sns:us-east-1:123456789012:orders" }, handle = seen }
    route "/paypal" { from = provider.paypal { webhook_id = env "PAYPAL_WEBHOOK_ID" }, handle = seen }
  `, `
local by_others = [[${generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' })}]]
local samples = { sns = sample.sns.Notification, paypal = sample.paypal["PAYMENT.CAPTURE.COMPLETED"] }
test "each signs, and nobody else" (function()
  for name, given in pairs(samples) do
    expect(feed("/" .. name, given)):like { state = "dropped", reason = name .. " " .. given.type }
    for _, sign_with in ipairs { "another", by_others, false } do
      expect(feed("/" .. name, given { sign_with = sign_with }).status):is(401)
    end
    expect(feed("/" .. name, given).state):is "dropped"
  end
end)
test "at any time" (function()
  clock.set "2028-01-01T00:00:00Z"
  for name, given in pairs(samples) do expect(feed("/" .. name, given).state):is "dropped" end
end)
test "what is no sample" (function()
  local function message(url, topic)
    return { json = { Type = "Notification", MessageId = "m" .. url, Message = "x",
      TopicArn = "arn:aws:sns:us-east-1:123456789012:" .. topic, Timestamp = "2026-01-05T09:00:00Z", SignatureVersion = "2", SigningCertURL = url } }
  end
  expect(feed("/sns", message("https://sns.eu-west-1.amazonaws.com/a.pem", "orders")).state):is "dropped"
  expect(feed("/sns", message("https://example.com/a.pem", "orders")).status):is(401)
  expect(feed("/sns", message("https://sns.eu-west-1.amazonaws.com/a.pem", "others")).status):is(401)
  local by = { ["Paypal-Cert-Url"] = "https://api.paypal.com/certs/x" }
  expect(feed("/paypal", { json = { event_type = "X" }, headers = by }).reason):is "paypal X"
  expect(feed("/paypal", { json = { event_type = "X" } }).status):is(401)
end)
test "a subscription is confirmed, and nobody is asked" (function()
  local run = feed("/sns", sample.sns.SubscriptionConfirmation)
  expect(run.status):is(200)
  expect(#run.ids):is(0)
end)`, 4));

  test('a secret that is set is the one that signs', async () => {
    const folder = await folderOf({ 'a.lua': github, 'a_test.lua': `
test "signed with the real one" (function()
  expect(feed("/github", sample.github.push { sign_with = "${SECRET}" }).status):is(202)
  expect(feed("/github", sample.github.push).status):is(202)
end)` });
    assert.equal((await command(['test', folder], { env: { ...bare, GITHUB_WEBHOOK_SECRET: SECRET } })).code, 0);
  });

  test('Standard Webhooks, HMAC of a verify, bearer, addresses', () => passes(`
    route "/standard" { from = provider.standard { secret = secret "STANDARD_ONE" }, handle = function(event) end }
    route "/hmac/:x" { verify = verify.hmac { header = "X-Sig", secret = secret "HMAC_ONE" }, handle = function(event) end }
    route "/bearer" { verify = verify.bearer(secret "BEARER_ONE"), ip_allow = { "192.0.2.0/24" }, handle = function(event) end }
    route "/verify" { verify = verify.standard { secret = secret "STANDARD_TWO" }, handle = function(event) end }
    route "/basic" { verify = verify.basic { user = "u", password = secret "BASIC_ONE" }, handle = function(event) end }
    route "/jwt" { verify = verify.jwt { algorithm = "HS256", key = secret "JWT_ONE" }, handle = function(event) end }
    route "/eddsa" { verify = verify.jwt { algorithm = "EdDSA", key = env "ID_PUBLIC_KEY" }, handle = function(event) end }
    route "/es256" { verify = verify.jwt { algorithm = "ES256", key = "${publicKey('ec', { namedCurve: 'P-256' })}" }, handle = function(event) end }
    route "/rs256" { verify = verify.jwt { algorithm = "RS256", key = "${publicKey('rsa', { modulusLength: 2048 })}" }, handle = function(event) end }
    route "/sent/es256" { verify = verify.jwt { algorithm = "ES256", key = env "ES_PUBLIC_KEY" }, handle = function(event) end }
    route "/sent/rs256" { verify = verify.jwt { algorithm = "RS256", key = env "RSA_OF_THEM" }, handle = function(event) end }
    route "/jwks" { verify = verify.jwt { algorithm = "ES256", jwks = "https://id.example.com/keys" }, handle = function(event) end }
    route "/rate" { verify = verify.none "tests", rate = "2/m", handle = function(event) end }
  `, `
test "others" (function()
  for _, path in ipairs { "/verify", "/basic", "/jwt", "/eddsa", "/es256", "/rs256", "/sent/es256", "/sent/rs256", "/jwks" } do
    expect(feed(path, { text = "x" }).state):is "done"
    expect(feed(path, { text = "x", sign_with = "wrong" }).status):is(401)
  end
end)
test "a rate is of the test's time" (function()
  local function statuses() return map({ 1, 2, 3 }, function() return feed("/rate", { text = "x" }).status end) end
  expect(statuses()):is { 202, 202, 429 }
  clock.pass "1m"
  expect(statuses()):is { 202, 202, 429 }
end)
test "and of no other test" (function()
  expect(feed("/rate", { text = "x" }).status):is(202)
end)
test "standard" (function()
  expect(feed("/standard", sample.standard["invoice.paid"]).state):is "done"
  expect(feed("/standard", sample.standard["invoice.paid"] { sign_with = "wrong" }).status):is(401)
end)
test "hmac" (function()
  expect(feed("/hmac/1", sample.generic["page.view"]).state):is "done"
  expect(feed("/hmac/1?a=b", { text = "x", query = { c = "d e" } }).state):is "done"
end)
test "bearer" (function()
  expect(feed("/bearer", { text = "x" }).status):is(403)
  expect(feed("/bearer", { text = "x", remote_ip = "192.0.2.7" }).status):is(202)
end)`, 6));
});

describe('what a test file shares with the rules', () => {
  const files = {
    'lib/shared.lua': `
return {
  chat = target "chat" { url = secret "CHAT_URL" },
  price = function(body) return body.n * 2 end,
  tell = function() send(7, "x") end,
}`,
    'lib/only_tests.lua': 'return { order = function(n) return { json = { n = n } } end }',
    'a.lua': `
local shared = require "lib.shared"
route "/in" {
  verify = verify.hmac { header = "X-Sig", secret = secret "IN_SECRET" },
  handle = function(event)
    send(shared.chat, { json = { price = shared.price(event.body), crm = env "CRM_URL",
      mac = crypto.hmac("sha256", secret "OUT_SECRET", event.raw, "hex") } })
  end,
}
route "/keys" {
  verify = verify.none "tests",
  handle = function(event)
    if not crypto.verify("ed25519", secret "PARTNER", event.raw, base64.decode(event.headers["x-sig"])) then drop "not theirs" end
    send(shared.chat, { json = { mine = crypto.sign("ecdsa-sha256", secret "EXPORT_KEY", event.raw, "base64") } })
  end,
}`,
  };
  const good = (tests, more) => run({ ...files, ...more, 'a_test.lua': tests });

  test('require gives what files of lib return, secret and env what rules have', async () => {
    const { code, stdout } = await good(`
local shared, makes = require "lib.shared", require "lib.only_tests"
test "the same values" (function()
  expect(shared.price { n = 2 }):is(4)
  expect(require "lib.shared" == shared):is(true)
  local message = feed("/in", makes.order(3)).sent[1]
  expect(message.json):is { price = 6, crm = env "CRM_URL", mac = crypto.hmac("sha256", secret "OUT_SECRET", '{"n":3}', "hex") }
  expect(env "CRM_URL"):is "https://crm-url.test"
  expect(env "OF_THE_TEST_URL"):is "https://of-the-test-url.test"
  expect(env("OF_THE_TEST", "default")):is "default"
  expect(tostring(secret "IN_SECRET")):is "secret:IN_SECRET"
  expect(crypto.equal(secret "OF_THE_TEST", "stand-in-for-of-the-test")):is(true)
end)
test "mistakes" (function()
  expect(function() require "lib.shard" end):fails 'a_test.lua:15: there is no file for require "lib.shard"'
  expect(function() secret(7) end):fails "a_test.lua:16: secret wants a name"
  expect(function() shared.tell() end):fails "works inside a handler"
end)`);
    assert.equal(code, 0, stdout);
  });

  test('a secret that is not set stands for a key where one is wanted', async () => {
    const { code, stdout } = await good(`
test "of theirs and ours" (function()
  local by = function(name, text) return { text = text, headers = { ["x-sig"] = crypto.sign("ed25519", secret(name), "x", "base64") } } end
  local run = feed("/keys", by("PARTNER", "x"))
  local mine = base64.decode(run.sent[1].json.mine)
  expect(crypto.verify("ecdsa-sha256", secret "EXPORT_KEY", "x", mine)):is(true)
  expect(crypto.verify("ecdsa-sha256", secret "EXPORT_KEY", "y", mine)):is(false)
  expect(crypto.verify("ecdsa-sha256", secret "PARTNER", "x", mine)):is(false)
  expect(feed("/keys", by("PARTNER", "y"))):like { state = "dropped", reason = "not theirs" }
  expect(feed("/keys", by("SOMEBODY", "x"))):like { state = "dropped", reason = "not theirs" }
  expect(function() crypto.sign("rsa-sha256", secret "PARTNER", "x") end):fails "no private key in PEM"
end)`);
    assert.equal(code, 0, stdout);
  });

  test('one that is set is what it is, in the test too', async () => {
    const folder = await folderOf({ ...files, 'a_test.lua': `
test "set" (function()
  expect(crypto.equal(secret "OUT_SECRET", "out")):is(true)
  expect(crypto.equal(secret "ONLY_HERE_SECRET", "here")):is(true)
  expect(env "ONLY_HERE"):is "there"
  expect(function() crypto.sign("ed25519", secret "EXPORT_KEY", "x") end):fails "no private key in PEM"
end)` });
    const set = { OUT_SECRET: 'out', ONLY_HERE_SECRET: 'here', ONLY_HERE: 'there', EXPORT_KEY: 'no key' };
    const { code, stdout } = await command(['test', folder], { env: { ...bare, ...set } });
    assert.equal(code, 0, stdout);
  });

  test('a production load knows no stand-ins', async () => {
    const folder = await folderOf({ ...files, 'b.lua': 'route "/b" { verify = verify.jwt { algorithm = "ES256", key = env "THEIR_KEY" }, handle = function() end }' });
    const { code, stdout, stderr } = await command(['check', folder], { env: { ...bare, CRM_URL: 'x', THEIR_KEY: 'stand-in-for-their-key' } });
    assert.equal(code, 3);
    assert.match(stdout + stderr, /key is not a public key of the kind that signs here/);
  });
});

describe('time', () => {
  test('retries run at their moment, days in milliseconds', () => passes(`
    local erp = target "erp" { url = env "ERP_URL" }
    local strict = target "strict" { url = env "STRICT_URL", retry = { attempts = 2, first = "10s" } }
    route "/in" { verify = verify.none "tests", handle = function(event) send({ erp, strict }, event) end }
  `, `
test "a failing ERP is tried again, then given up" (function()
  mock.target("erp", { 503, repeat_last = true })
  local run = feed("/in", { json = {} })
  clock.pass "3d"
  expect(run.deliveries[1]):like { target = "erp", state = "dead", reason = "answered 503", ended = "older than 259200 s" }
  expect(run.deliveries[2]):like { target = "strict", state = "delivered" }
  expect(run.state):is "dead"
  expect(run.sent):has(2)
end)
test "the waits are those of the target" (function()
  mock.target("strict", { { error = "timeout" }, 500 })
  local run = feed("/in", { json = {} })
  expect(run.deliveries[2]):like { state = "waiting", attempts = 1, tries = { { error = "timeout" } } }
  clock.pass "4999ms"
  expect(run.deliveries[2].attempts):is(1)
  clock.pass "5001ms"
  expect(run.deliveries[2]):like { state = "dead", attempts = 2, reason = "answered 500", ended = "no more tries (2)" }
end)
test "Retry-After is obeyed" (function()
  mock.target("erp", { { status = 503, headers = { ["Retry-After"] = "3600" } } })
  local run = feed("/in", { json = {} })
  clock.pass "3599s"
  expect(run.deliveries[1].attempts):is(1)
  clock.pass "1s"
  expect(run.deliveries[1]):like { state = "delivered", attempts = 2 }
end)
test "an answer may be a function of the message" (function()
  mock.target("erp", { function(message) return message.json.ok and 200 or 410 end, repeat_last = true })
  expect(feed("/in", { json = { ok = true } }).state):is "done"
  expect(feed("/in", { json = {} }).state):is "dead"
end)`, 4));

  test('dedupe over its window, and the clock of rules', () => passes(`
    local t = target "t" { url = env "T_URL" }
    route "/in" {
      verify = verify.none "tests", dedupe = { by = "body.id", within = "24h" },
      handle = function(event) send(t, { json = { at = time.iso(event.received_at), now = time.now() } }) end,
    }
  `, `
test "a day later it is new" (function()
  expect(feed("/in", { json = { id = 1 } }).state):is "done"
  local again = feed("/in", { json = { id = 1 } })
  expect(again.state):is "duplicate"
  expect(again.sent):has(0)
  expect(again.deliveries):has(0)
  clock.pass "23h" expect(feed("/in", { json = { id = 1 } }).state):is "duplicate"
  clock.pass "1h"  expect(feed("/in", { json = { id = 1 } }).state):is "done"
  expect(sent "t"):has(2)
end)
test "set, then passing" (function()
  clock.set "2026-03-29T00:59:59Z"
  expect(feed("/in", { json = { id = 1 } }).sent[1].json):is { at = "2026-03-29T00:59:59Z", now = 1774745999 }
  clock.set(1774746000)
  expect(time.now()):is(1774746000)
  expect(feed("/in", { json = { id = 2 } }).sent[1].json.at):is "2026-03-29T01:00:00Z"
  expect(function() clock.set "2026-03-29T00:00:00Z" end):fails "forwards only"
  expect(function() clock.pass(5) end):fails 'write "5s"'
end)
test "every test begins at the same moment, with nothing of another" (function()
  expect(time.iso(time.now())):is "2026-01-05T09:00:00Z"
  expect(sent()):has(0)
  expect(feed("/in", { json = { id = 1 } }).state):is "done"
end)`, 3));

  test('tasks run on their clock, kv and batches live through a test and not beyond', () => passes(`
    local t = target "t" { url = env "T_URL" }
    task "hourly" { every = "1h", handle = function() send(t, { json = { n = kv.incr "n" } }) end }
    task "nightly" { cron = "0 3 * * *", handle = function() send(t, { text = "night" }) end }
    route "/in" { verify = verify.none "tests", handle = function(event) send(t, event) end }
  `, `
test "every hour, and at three" (function()
  feed("/in", { text = "x" })
  clock.pass "3h"
  expect(map(sent "t", function(message) return message.text end)):is { "x", '{"n":1}', '{"n":2}', '{"n":3}' }
  clock.set "2026-01-06T03:00:00Z"
  expect(sent "t"):contains { text = "night" }
  expect(sent "t"):has(20)
end)
test "nothing is left of another test" (function()
  clock.pass "1h"
  expect(sent()):has(1)
  expect(sent()[1].json.n):is(1)
end)`, 2));

  test('a rule that takes too long, and one that crashes the state, cost one event', () => passes(`
    route "/in" {
      verify = verify.none "tests",
      limits = { handler_cpu = "1s", handler_memory = "2MiB" },
      handle = function(event)
        while event.body == "loop" do end
        local kept = {}
        while event.body == "memory" do kept[#kept + 1] = ("x"):rep(1e6) .. #kept end
      end,
    }
  `, `
test "cpu" (function()
  expect(feed("/in", { text = "loop" })):fails "cpu"
  clock.pass "1s"
  expect(feed("/in", { text = "fine" }).state):is "done"
end)
test "memory" (function()
  expect(feed("/in", { text = "memory" })):fails "memory"
  clock.pass "1s"
  expect(feed("/in", { text = "fine" }).state):is "done"
end)`, 2));
});

describe('what handlers ask of others', () => {
  const rules = `
    local desk = target "desk" { url = env "DESK_URL" }
    route "/tickets" {
      verify = verify.none "tests",
      handle = function(event)
        local answer = http.get(url.join(env "CRM_URL", "customers", event.body.id), { query = { full = "yes" }, auth = auth.bearer(secret "CRM_TOKEN") })
        if answer.status == 503 then retry("CRM said 503", { after = "20s" }) end
        send(desk, { json = { plan = answer.status == 200 and answer.json.plan or "unknown", kind = answer.headers["X-Kind"] } })
      end,
    }`;

  test('is answered by mock.http', () => passes(rules, `
test "an unknown customer still gets a ticket" (function()
  mock.http { ["GET */customers/7"] = { status = 404 } }
  local run = feed("/tickets", { json = { id = "7" } })
  expect(run.status):is(202)
  expect(run.state):is "done"
  expect(run.sent[1].json):like { plan = "unknown" }
end)
test "the longer pattern wins, a function sees the request" (function()
  mock.http {
    ["GET *"] = 500,
    ["GET https://crm-url.test/customers/*"] = function(request)
      expect(request.headers.authorization):is "Bearer stand-in-for-crm-token"
      expect(request.query):is "full=yes"
      return { json = { plan = request.path:match "%d+" }, headers = { ["X-Kind"] = "k" } }
    end,
  }
  expect(feed("/tickets", { json = { id = "8" } }).sent[1].json):is { plan = "8", kind = "k" }
end)
test "in turn, and the last one again" (function()
  mock.http { ["GET *"] = { 503, { error = "timeout" }, { json = { plan = "p" } } } }
  local run = feed("/tickets", { json = { id = "9" } })
  expect(run):fails "CRM said 503"
  clock.pass "1h"
  expect(run.state):is "done"
  expect(run.attempt):is(3)
  expect(feed("/tickets", { json = { id = "9" } }).sent[1].json.plan):is "p"
end)`, 3));

  test('else the test fails with the line to paste', async () => {
    const said = await fails(rules, '  feed("/tickets", { json = { id = "7" } })');
    assert.ok(said.includes('rules/a_test.lua:2: the rules ask GET https://crm-url.test/customers/7?full=yes, and no mock answers: write'), said);
    assert.ok(said.includes('mock.http { ["GET https://crm-url.test/customers/7"] = { status = 200, json = {} } }'), said);
  });
});

describe('what is not set', () => {
  test('has a stand-in that fits its use, and a default stays a default', () => passes(`
    local a = target "a" { url = secret "CHAT_PLACE", headers = { ["X-Key"] = secret "A_KEY" } }
    local b = target "b" { url = env "CRM_URL", sign = sign.standard { secret = secret "B_SIGNING" }, auth = auth.bearer(secret "B_TOKEN") }
    local c = target "c" { url = env("C_URL", "https://c.example.com/in"), headers = { ["X-Channel"] = env "CHANNEL_ID" } }
    local d = target "d" { url = "https://d.example.com/" .. secret "D_PATH" }
    route "/in" { verify = verify.none "tests", handle = function(event) send({ a, b, c, d }, event) end }
  `, `
test "stand-ins" (function()
  local sent = feed("/in", { text = "x" }).sent
  expect(sent[1].url):is "https://chat-place.test"
  expect(sent[1].headers["x-key"]):is "stand-in-for-a-key"
  expect(sent[2].url):is "https://crm-url.test"
  expect(sent[2].headers["webhook-signature"]):contains "v1,"
  expect(sent[2].headers.authorization):is "Bearer stand-in-for-b-token"
  expect(sent[3]):like { url = "https://c.example.com/in", headers = { ["x-channel"] = "channel-id" } }
  expect(sent[4].url):is "https://d.example.com/stand-in-for-d-path"
end)`, 1));
});

describe('failures', () => {
  test('say file and line, expected and got, what was fed and what the rules logged', async () => {
    const said = await fails(CHAT.replace('send(', 'log.info("seen", { n = 1 }) send('), `
  local run = feed("/in", { json = { text = "hello" } })
  expect(run.sent[1].json):is { text = "bye", more = { 1 } }`);
    for (const words of ['✗ rules/a_test.lua:1  it', 'rules/a_test.lua:4: not what was expected', 'at .text\n      expected "bye"\n      got      "hello"',
      'at .more\n      expected { 1 }\n      got      nothing (nil)', '/in → 202 done\n        → chat 200', 'info seen {"n":1}', '0 tests passed, 1 failed in']) {
      assert.ok(said.includes(words), `${words}\n${said}`);
    }
  });

  test('what a body has where a handler asked too far', async () => {
    const said = await fails(CHAT.replace('send(', 'local x = event.body.data.object.lines send('), `
  expect(feed("/in", { json = { data = { id = 1 } } }).state):is "done"`);
    assert.match(said, /a nil value\)\n +\d+ │ .*\n +│ body\.data has: id +\(no 'object'\)\n +│ event:get\("body\.data\.object\.lines"\) gives nil/);
  });

  test('mistakes of a test are named with what to write instead', async () => {
    const mistakes = {
      'fed("/in")': "there is no name 'fed' here, did you mean 'feed'?",
      'expect(1):si(1)': "expect(…) has no matcher 'si', did you mean 'is'?",
      'expect(feed("/in").stat):is(1)': "a run has no field 'stat', did you mean 'state'?",
      'feed("/in", { jsn = 1 })': "a request has no field 'jsn', did you mean 'json'?",
      'mock.target("caht", { 503 })': 'there is no target "caht", did you mean \'chat\'?',
      'mock.target("chat", { { stats = 1 } })': "an answer has no field 'stats', did you mean 'status'?",
      'mock.target("chat", { { error = "tiemout" } })': 'there is no error "tiemout"',
      'sent "caht"': 'there is no target "caht"',
      'return sample.githb.push': 'there are no samples of "githb", did you mean \'github\'?',
      'return sample.github.pus': 'github has no sample "pus", did you mean \'push\'?',
      'return sample.saved.gone': 'there is no file samples/gone.json',
      'clock.move "1s"': 'there is no clock.move',
      'send(1, 2)': "there is no name 'send' here",
      'count = 1': "'count = …' would make a global variable",
      'test "inside" (function() end)': 'a test inside a test',
      'local x = nil; return x.y': "attempt to index local 'x'",
      'error { 1 }': 'error with a table',
      'mock.target("chat", { function() error("mine") end }) feed("/in", { json = {} })': 'm17_test.lua:1: mine',
      'mock.target("chat", { function() feed("/in") end }) feed("/in", { json = {} })': 'the answer of a mock cannot feed',
      'feed("/in", { headers = { a = "x\\r\\ny" } })': 'the header a has a line end in it',
      'mock.http { ["*/x"] = 200 }': 'mock.http: write a method and an address',
      'mock.http { ["GET */x"] = { stats = 1 } }': "mock.http: an answer has no field 'stats'",
      'http.get "https://x.example.com"': "there is no name 'http' here",
    };
    const files = Object.fromEntries(Object.keys(mistakes).map((body, i) => [`m${i}_test.lua`, `test "it" (function() ${body} end)`]));
    const { code, stdout } = await run({ 'a.lua': CHAT, ...files });
    assert.equal(code, 1);
    Object.values(mistakes).forEach((words, i) => assert.ok(stdout.includes(words), `${i}: ${words}\n${stdout}`));
    assert.match(stdout, /rules\/m0_test\.lua:1: there is no name 'fed'/);
    assert.match(stdout, new RegExp(`0 tests passed, ${Object.keys(mistakes).length} errors`));
  });

  test('a file that does not load is an error of that file, and the others run', async () => {
    const { code, stdout } = await run({ 'a.lua': CHAT, 'a_test.lua': 'test "x" (function(', 'b_test.lua': 'test "y" (function() end)' });
    assert.equal(code, 1);
    assert.match(stdout, /a_test\.lua:1: .*expected near/);
    assert.match(stdout, /1 test passed, 1 error in/);
  });

  test('a process that falls takes nothing of the others with it', async () => {
    const { code, stdout } = await run({
      'a.lua': 'route "/in" { verify = verify.none "tests", handle = function(event) crash "segv" end }',
      'a_test.lua': 'test "falls" (function() feed("/in", { text = "x" }) end)',
      'b_test.lua': 'test "stands" (function() end)',
    });
    assert.equal(code, 1);
    assert.match(stdout, /its process ended/);
    assert.match(stdout, /1 test passed, 1 error/);
  });

  test('rules that do not load: 3, and their mistakes', async () => {
    const { code, stderr } = await run({ 'a.lua': 'local t = targt "t" {}', 'a_test.lua': 'test "x" (function() end)' });
    assert.equal(code, 3);
    assert.match(stderr, /rules\/a\.lua:1: there is no name 'targt' here/);
  });

  test('nothing to run: 5, and what to write', async () => {
    const { code, stderr } = await run({ 'a.lua': CHAT });
    assert.equal(code, 5);
    assert.match(stderr, /there are no tests in \.: write rules\/NAME_test\.lua/);
    assert.equal((await command(['test', '/no/such/folder'])).code, 5);
  });
});

describe('outputs', () => {
  const files = {
    'a.lua': CHAT,
    'a_test.lua': `
test "one & <two>" (function() end)
test "three" (function() expect("a\\nb"):is "<&>" end)
test "four" (function() error("x") end)
`,
    'sub/b_test.lua': 'test "five" (function() print("said", 5) end)',
  };

  test('TAP', async () => {
    const { code, stdout } = await run(files, '--tap');
    assert.equal(code, 1);
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 4), ['TAP version 13', '1..4', 'ok 1 - rules/a_test.lua: one & <two>', 'not ok 2 - rules/a_test.lua: three']);
    assert.equal(lines.filter((line) => /^(not )?ok \d/.test(line)).length, 4);
    assert.match(stdout, /\n  ---\n  at: "rules\/a_test.lua:3"\n  message: \|\n(    .*\n)+  \.\.\.\n/);
    assert.match(stdout, /\nok 4 - rules\/sub\/b_test.lua: five\n$/);
  });

  test('JSON, one object per line', async () => {
    const { stdout } = await run(files, '--json');
    const results = stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(results.map((result) => [result.name, result.outcome, result.line]),
      [['one & <two>', 'passed', 2], ['three', 'failed', 3], ['four', 'error', 4], ['five', 'passed', 1]]);
    assert.deepEqual(results[1].differences, [{ path: '', want: '"<&>"', got: '"a\\nb"' }]);
    assert.deepEqual([results[1].at_file, results[1].at_line], ['rules/a_test.lua', 3]);
    assert.deepEqual(results[3].said, ['said\t5']);
  });

  test('JUnit XML beside the usual output', async () => {
    const { folder, stdout } = await run(files, '--junit', 'out.xml');
    assert.match(stdout, /2 tests passed, 1 failed, 1 error in/);
    const xml = await readFile(path.join(folder, 'out.xml'), 'utf8');
    assert.match(xml, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites tests="4" failures="1" errors="1" time="\d+\.\d{3}">\n/);
    assert.match(xml, /<testsuite name="rules\/a_test\.lua" tests="3" failures="1" errors="1" /);
    assert.match(xml, /<testcase name="one &amp; &lt;two&gt;" classname="rules\/a_test\.lua" file="rules\/a_test\.lua" line="2" time="\d+\.\d{3}"\/>/);
    assert.match(xml, /<failure message="not what was expected">[^<]*&lt;&amp;&gt;[^<]*<\/failure>/);
    const open = [...xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)].filter(([, , , empty]) => !empty);
    const stack = [];
    for (const [, ends, name] of open) {
      if (ends) assert.equal(stack.pop(), name);
      else stack.push(name);
    }
    assert.deepEqual(stack, []);
    assert.equal((await run(files, '--junit', '/no/such/folder/out.xml')).code, 1);
  });

  test('--only', async () => {
    const { code, stdout } = await run(files, '--only', 'FIVE');
    assert.equal(code, 0);
    assert.match(stdout, /^●\nrules\/sub\/b_test\.lua: said\t5\n1 test passed/);
    const none = await run(files, '--only', 'sixth');
    assert.equal(none.code, 5);
    assert.match(none.stderr, /no test has "sixth" in its name/);
  });

  test('one file, and files of several folders of rules', async () => {
    const folder = await folderOf(files);
    const other = await folderOf({ 'a.lua': CHAT, 'a_test.lua': 'test "other" (function() expect(feed("/in", { json = {} }).state):is "done" end)' });
    const one = await command(['test', path.join(folder, 'rules/sub/b_test.lua')], { env: bare });
    assert.match(one.stdout, /1 test passed/);
    const both = await command(['test', path.join(folder, 'rules/sub'), other], { env: bare });
    assert.match(both.stdout, /2 tests passed/);
  });

  test('--coverage names the lines of functions that were never run', async () => {
    const rules = `route "/in" {
  verify = verify.none "tests",
  handle = function(event)
    if event.body == "a" then
      local seen = "a"
      log.info(seen)
    else
      drop "b"
    end
  end,
}
`;
    const tests = (body) => `test "x" (function() feed("/in", { text = "${body}" }) end)`;
    const half = await run({ 'a.lua': rules, 'a_test.lua': tests('a') }, '--coverage');
    assert.equal(half.code, 0);
    assert.match(half.stdout, /rules\/a\.lua  3 of 4 lines in functions were run\n +✗ +8 │       drop "b"\n$/);
    const both = await run({ 'a.lua': rules, 'a_test.lua': tests('a'), 'b_test.lua': tests('b') }, '--coverage');
    assert.match(both.stdout, /rules\/a\.lua  4 of 4 lines/);
    const json = await run({ 'a.lua': rules, 'a_test.lua': tests('b') }, '--coverage', '--json');
    assert.deepEqual(JSON.parse(json.stdout.trim().split('\n').at(-1)), { kind: 'coverage', file: 'rules/a.lua', lines: 4, missed: [5, 6] });
  });

  test('--watch runs them again when a file changes', async () => {
    const folder = await folderOf({ 'a.lua': CHAT, 'a_test.lua': 'test "x" (function() end)' });
    const child = spawn(BINARY, ['test', folder, '--watch'], { env: bare, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    await until('the first run', () => said.includes('1 test passed'));
    await writeFile(path.join(folder, 'rules/b_test.lua'), 'test "y" (function() expect(1):is(2) end)');
    await until('the second', () => said.includes('1 test passed, 1 failed'));
    child.kill('SIGTERM');
  });

  test('nothing stays behind', async () => {
    const left = async () => (await readdir('/dev/shm')).filter((name) => name.startsWith('tidewire-test-'));
    await run(files);
    assert.deepEqual(await left(), []);
  });
});

test('a stored event becomes a sample: headers included, secrets not', async () => {
  const github = `
local t = target "t" { url = "http://127.0.0.1:9", private = true, retry = false }
route "/github" { from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" }, handle = function(event) send(t, { json = { big = event.body.big } }) end }
route "/text" { verify = verify.bearer(secret "TEXT_TOKEN"), handle = function(event) end }
`;
  const router = await Router.start({ 'a.lua': github }, { env: { TEXT_TOKEN: 'the token' } });
  try {
    const body = '{"big": 9007199254740993, "ref" : "x"}';
    const answer = await router.post('/github', body, { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'd1', 'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`, 'Content-Type': 'application/json' });
    const { id } = JSON.parse(answer.body);
    const text = await router.post('/text', 'hello', { authorization: 'Bearer the token', 'content-type': 'text/plain' });
    const save = (...words) => command(['events', 'save', ...words, '--admin', `unix:${router.socket}`], { cwd: router.folder });
    const saved = await save(id, '--name', 'big');
    assert.equal(saved.code, 0, saved.stderr);
    assert.equal(saved.stdout, `${router.folder}/rules/samples/big.json\n`);
    const file = await readFile(saved.stdout.trim(), 'utf8');
    assert.ok(file.includes('"body": {"big": 9007199254740993, "ref" : "x"}'), file);
    assert.deepEqual(Object.keys(JSON.parse(file)), ['route', 'method', 'type', 'headers', 'body']);
    assert.deepEqual(Object.keys(JSON.parse(file).headers).map((name) => name.toLowerCase()).sort(), ['content-type', 'x-github-event']);
    assert.equal((await save(id, '--name', 'big')).code, 1);
    assert.match((await save(JSON.parse(text.body).id)).stdout, /samples\/text-[0-9a-f]{6}\.json/);
    assert.equal((await save('01963f0e-6d1c-7000-8000-000000000000')).code, 5);
    assert.equal((await save()).code, 2);
    const plain = (await readdir(path.join(router.folder, 'rules/samples'))).find((name) => name.startsWith('text-'));
    assert.equal(JSON.parse(await readFile(path.join(router.folder, 'rules/samples', plain), 'utf8')).text, 'hello');
    await router.write('a_test.lua', `
test "saved" (function()
  local run = feed("/github", sample.saved.big)
  expect(run.sent[1].text):is '{"big":9007199254740993}'
  expect(feed("/github", sample.saved.big { body = { big = 1 } }).sent[1].json.big):is(1)
  expect(feed("/text", sample.saved["${plain.replace('.json', '')}"]).state):is "done"
end)`);
    const tested = await command(['test', router.folder], { env: bare });
    assert.equal(tested.code, 0, tested.stdout);
  } finally {
    await router.end();
  }
});

test('the examples, and the rules of this checkout, pass their tests from a clean checkout', async () => {
  const { code, stdout } = await command(['test', path.join(root, 'examples'), path.join(root, 'rules')], { env: bare });
  assert.equal(code, 0, stdout);
  for (const folder of await readdir(path.join(root, 'examples'))) {
    const files = await readdir(path.join(root, 'examples', folder, 'rules'));
    assert.ok(files.some((name) => name.endsWith('_test.lua')), `${folder} has a test`);
  }
});
