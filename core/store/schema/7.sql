-- Events that are handled one after the other have an equal key (a hash); NULL: no order. Of those that wait only the first is
-- ever due: due_ms of the others is 9223372036854775807 until their turn comes.
ALTER TABLE event ADD COLUMN order_key INTEGER;
CREATE INDEX event_ordered ON event (order_key, seq) WHERE state = 0 AND order_key IS NOT NULL;
