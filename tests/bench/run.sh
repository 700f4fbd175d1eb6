#!/bin/bash
# Measures the router, beside a bare program that does the least a router has to do (ceiling.c), and prints one table.
#
#   tests/bench/run.sh [--json] [--seconds N] [--runs N] [--only TEXT] [--peers]
#
#   --seconds N   of load for each figure (3)
#   --runs N      rounds; a figure is the median of them (5). A round has each workload once, so that noise hits all alike
#   --only TEXT   workloads with this text in their name, for example 'stored' or 'drop push'; the ceiling always runs
#   --peers       nginx with its Lua module beside it, each figure right behind ours (peers/README.md)
#   --json        all runs, as JSON
#
# How: 64 kept connections of wrk; the router has one worker and is pinned, with everything below it, to the first CPU, load and
# target (sink.c) to the last (to the last two where there are enough); 2 workers: to the first two CPUs, so with two CPUs in all
# those lines share one with the load. Each run has a fresh router, store and target. Real GitHub events from the npm package of
# tests/package.json: a push of 7,630 bytes, and a star that is cut down to 840 bytes (payloads.js).
#
# Every route uses provider.github. With dedupe on its key is the delivery id and the signature, so each request has its own id and
# a body of its own (eight digits of it), signed before the load starts; else a signature comes again after some 100,000 requests.
#
#   cpu s/10k      processor time, user and system, of the router's processes for 10,000 accepted events; deliveries and their
#                  results included. In brackets the least and the most of the runs
#   × ceiling      that, over the ceiling's of the same round and payload. The figure to compare: it depends least on the machine
#   budget         what design says the first column should be, on the machine where it was measured; only an orientation
#   accepted/s     answers of 2xx; where `load` is near 100 % it is the load that was measured
#   sustained/s    the same, with the time until the last delivery had come
#   answer ms      p50 / p99 / max, as wrk sees them (corrected for what it could not send meanwhile)
#   delay ms       p50 / p99 from sending an event to the arrival of its delivery at the target
#   MB             the most memory that the router's processes ever held (VmHWM)
#   load           how busy the CPU of wrk and the target was, by them
#   refused, lost  must be 0: answers that were no 2xx; 202s that did not end: the target misses a delivery, or it was not counted
#
# Single figures of a busy machine say nothing; ratios of one run do. "stored slow" has two targets, one of which takes a second for
# each answer: it shows what the other one and the sender notice; what waits for the slow one stays on disk and is not counted.
# "stored half" has half the rate that "stored" has just reached.
set -eu
cd "$(dirname "$0")/../.."
script=tests/bench/run.sh
. tests/bench/setup.sh
exec node tests/bench/bench.js "$@"
