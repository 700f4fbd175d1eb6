-- The first schema. An event's deliveries are inserted together, so a first one and a count name them all: no index is needed
-- for that. Indexes beyond the primary keys: one for lists, one for an id, and two partial ones for what waits.
CREATE TABLE event (
  seq            INTEGER PRIMARY KEY,
  id             BLOB NOT NULL,
  route          TEXT NOT NULL,
  type           TEXT NOT NULL,
  state          INTEGER NOT NULL, -- 0 waiting, 1 handled, 2 dropped, 3 failed
  received_ms    INTEGER NOT NULL,
  due_ms         INTEGER NOT NULL,
  attempt        INTEGER NOT NULL, -- handler tries that ended
  generation     INTEGER NOT NULL,
  run_reason     INTEGER NOT NULL, -- enum run_reason
  reason         TEXT NOT NULL,
  keep_until_ms  INTEGER NOT NULL, -- 0: the body goes as soon as nothing waits
  duplicates     INTEGER NOT NULL DEFAULT 0,
  body_bytes     INTEGER NOT NULL,
  delivery_first INTEGER NOT NULL DEFAULT 0,
  delivery_count INTEGER NOT NULL DEFAULT 0,
  meta           BLOB NOT NULL     -- event_meta_write
);
CREATE INDEX event_by_route ON event (route, seq);
CREATE INDEX event_by_id ON event (id);
CREATE INDEX event_waiting ON event (due_ms) WHERE state = 0;

-- Apart from event: changing a row rewrites it whole.
CREATE TABLE body (
  event INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);

CREATE TABLE delivery (
  seq       INTEGER PRIMARY KEY,
  id        BLOB NOT NULL,
  event     INTEGER NOT NULL,
  target    TEXT NOT NULL,
  order_key TEXT NOT NULL,
  fixed_id  TEXT NOT NULL,
  shard     INTEGER NOT NULL,
  state     INTEGER NOT NULL, -- enum delivery_state
  due_ms    INTEGER NOT NULL,
  attempts  INTEGER NOT NULL, -- that ended
  reason    TEXT NOT NULL DEFAULT '',
  message   BLOB NOT NULL,    -- message.h
  last      BLOB              -- the first attempt, attempt.h
);
CREATE INDEX delivery_waiting ON delivery (target, due_ms) WHERE state = 0;

-- From the second attempt on.
CREATE TABLE attempt (
  delivery INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  record   BLOB NOT NULL,
  PRIMARY KEY (delivery, n)
) WITHOUT ROWID;

-- Keys of the idempotency window: young ones in the order they came, old ones by hash.
CREATE TABLE dedupe_recent (
  seq   INTEGER PRIMARY KEY,
  hash  BLOB NOT NULL,
  until INTEGER NOT NULL,
  id    BLOB NOT NULL
);
CREATE TABLE dedupe_old (
  hash  BLOB PRIMARY KEY,
  until INTEGER NOT NULL,
  id    BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE kv (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE generation (
  number    INTEGER PRIMARY KEY, -- counted over all starts
  hash      TEXT NOT NULL,
  loaded_ms INTEGER NOT NULL,
  files     BLOB NOT NULL
);

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;
