-- What on_error and on_dead send: deliveries of an event beside those of its handler, which follow each other. They say nothing of
-- the event's own state.
ALTER TABLE delivery ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_notice ON delivery (event) WHERE notice = 1;
