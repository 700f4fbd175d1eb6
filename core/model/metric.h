/* metric.h: one call of metric.count, .gauge or .observe in a rule, on its way to the numbers of its worker. */
#ifndef TIDEWIRE_METRIC_H
#define TIDEWIRE_METRIC_H

#include "base/slice.h"

enum metric_kind { METRIC_COUNT, METRIC_GAUGE, METRIC_OBSERVE };

/* All text is borrowed for the call. labels are written as Prometheus wants them, sorted, without braces; folded: the same names,
 * each with the value "_other". */
struct metric_note {
    enum metric_kind kind;
    struct slice name, labels, folded;
    double value;
};

#endif
