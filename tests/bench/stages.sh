#!/bin/bash
# Shows where the time of an event goes, as tables in Markdown: by stage and by thread, allocations and copies, system calls.
#
#   tests/bench/stages.sh [--seconds N] [WORKLOAD...]
#
#   WORKLOAD      as run.sh names them ('drop push' and 'stored push')
#   --seconds N   of load for each of the four runs of a workload (3)
#
# Four runs as run.sh makes them, each watched in another way, since watching costs something:
#
#   time          not at all: the processor time of an event, and what is written to the disk
#   stages        `perf record`, samples of the processor's clock. A stage is what the innermost frame belongs to: our folder, or a
#                 library; in the kernel, the call that it works for. Shares of samples, times the processor time of the first run.
#                 The kernel delivers over loopback while it sends, so what a request costs it is partly the sender's, and reverse
#   allocations   with count.c preloaded: by the library that asks. Copies are calls of memcpy and memmove; those that the compiler has
#                 written out and those inside the C library are not seen
#   system calls  `perf trace -s`; of many calls it loses a few percent
#
# It needs perf and the right to use it (root, or kernel.perf_event_paranoid of 1 or less) and says so where it has not.
set -eu
cd "$(dirname "$0")/../.."
script=tests/bench/stages.sh
. tests/bench/setup.sh
install_missing linux-perf binutils
exec node tests/bench/stages.js "$@"
