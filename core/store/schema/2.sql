-- Failed tries of handlers, each with its own reason: a dead event shows them all.
CREATE TABLE failure (
  event      INTEGER NOT NULL,
  n          INTEGER NOT NULL, -- of the try, from 1
  at_ms      INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  run_reason INTEGER NOT NULL, -- enum run_reason
  reason     TEXT NOT NULL,
  PRIMARY KEY (event, n)
) WITHOUT ROWID;

-- The event that a replay made of this one.
ALTER TABLE event ADD COLUMN replayed_as BLOB;

-- What waits is read route by route, so that a route with much to do hides no other.
DROP INDEX event_waiting;
CREATE INDEX event_waiting ON event (route, due_ms) WHERE state = 0;
CREATE INDEX event_failed ON event (route, seq) WHERE state = 3;
