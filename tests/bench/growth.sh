#!/bin/bash
# Measures how the cost of an event grows with what there is more of, and prints one table for each.
#
#   tests/bench/growth.sh [--json] [--only NAME] [--long]
#
#   --only NAME   one of: connections, routes, sizes, stored, waiting
#   --long        10 million stored events too; wants some 40 GB on the disk and half an hour
#   --json        all figures, as JSON
#
# How: as run.sh does it, with one worker, the star of 840 bytes, and one run for each line; some six minutes.
#
#   connections   dropped events over 10, 1,000 and 10,000 kept connections, as fast as it goes (all of them always have a request
#                 on its way: the times of answers are those of queueing) and 5,000 a second over all (those of the router)
#   routes        1, 50 and 1,000 rule files with a route and a target each; dropped events for the one in the middle and for the one
#                 that is defined last and matches by parameters
#   sizes         JSON bodies from 100 bytes to 10 MB, dropped and stored: `cpu ms/MB` must not grow. At most 64 MB at once.
#                 "stored slow": one of two targets takes a second for each answer, which nobody else should notice
#   stored        events that are stored and delivered by a router that has so many already, with what dedupe keeps of them (fill.c)
#   waiting       a start with so many deliveries that are due: for a target that refuses connections, for one that answers
#
#   cpu s/10k     processor time, user and system, of the router's processes for 10,000 accepted events (waiting: deliveries)
#   × first       that, over the first line's of the same kind: what this is about
#   ready ms      from the start of the process until /readyz answers 200
#   MB at rest    what the router's processes hold before the load, pages that they share counted once (Pss). Budgets of design: 30 with
#                 50 rules, 150 with a million that wait
#   cpu % at rest of one CPU, for the three seconds behind the start, without load
#   MB most       the most that they ever held (VmHWM, each by itself)
#   load          how busy the CPU of wrk and the target was, by them
set -eu
cd "$(dirname "$0")/../.."
script=tests/bench/growth.sh
. tests/bench/setup.sh
ulimit -n "$(ulimit -Hn)" # a file for each connection, on both sides
exec node tests/bench/growth.js "$@"
