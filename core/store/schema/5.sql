-- Which delivery of a key comes next: the first that waits.
CREATE INDEX delivery_ordered ON delivery (target, order_key, seq) WHERE state = 0 AND order_key <> '';
