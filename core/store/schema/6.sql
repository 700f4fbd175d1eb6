-- Values that rules keep: nothing has written the first form of this table. The index holds those that end, by when.
DROP TABLE kv;
CREATE TABLE kv (
  key      TEXT PRIMARY KEY,
  until_ms INTEGER NOT NULL, -- 0: for ever
  value    BLOB NOT NULL     -- JSON
) WITHOUT ROWID;
CREATE INDEX kv_ends ON kv (until_ms) WHERE until_ms > 0;

-- A message with `delay` or `at`: its target's `within` counts from here. 0: from when its event came.
ALTER TABLE delivery ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;

-- Runs of tasks that have a name: which event is the one that waits.
CREATE TABLE run_name (
  route TEXT NOT NULL,
  name  TEXT NOT NULL,
  event INTEGER NOT NULL,
  PRIMARY KEY (route, name)
) WITHOUT ROWID;

-- Tasks on a clock: their last time, run or not. Another schedule begins anew.
CREATE TABLE task_clock (
  route    TEXT PRIMARY KEY,
  schedule TEXT NOT NULL,
  last_ms  INTEGER NOT NULL
) WITHOUT ROWID;

-- Batches: the group that collects is an event that waits; its items are that event's body.
CREATE TABLE batch_open (
  route TEXT NOT NULL,
  key   TEXT NOT NULL, -- "": the common group
  event INTEGER NOT NULL,
  items INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (route, key)
) WITHOUT ROWID;
CREATE TABLE batch_item (
  event INTEGER NOT NULL,
  n     INTEGER NOT NULL, -- from 0
  item  BLOB NOT NULL,    -- JSON
  PRIMARY KEY (event, n)
) WITHOUT ROWID;
