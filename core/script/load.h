/* load.h: from a folder of rule files to a checked generation, or to all mistakes at once. Main thread and command line. */
#ifndef TIDEWIRE_LOAD_H
#define TIDEWIRE_LOAD_H

#include "base/arena.h"
#include "base/result.h"
#include "base/slice.h"
#include "model/generation.h"
#include "script/rule_files.h"
#include "script/script.h"

/* One mistake or warning (rules.md 7); the same objects as `check --json`. */
struct finding {
    bool warning;
    struct slice file;       /* "rules/erp.lua" */
    uint32_t line, column;   /* from 1; column 0: unknown */
    uint32_t width;          /* of the marked word; 0: none */
    struct slice message;    /* "target "erp" has no option 'concurency'" */
    struct slice source;     /* the line's text, "" when there is none */
    struct slice hint;       /* "did you mean 'concurrency'?", "write "30s" for seconds"; may have several lines; "" */
    struct slice suggestion; /* the bare word to write, for programs; "" */
};

struct load_report {
    struct finding *findings;
    size_t finding_count;
    size_t error_count;
    char hash[65]; /* of the files that were read, or of why they could not be (rule_files.h) */
    struct arena arena;
};
void load_report_deinit(struct load_report *report);
/* As rules.md 7 prints them, without the last line about what keeps running. colour: terminal colours for the marks. */
void load_report_print(const struct load_report *report, struct buf *out, bool colour);
void load_report_json(const struct load_report *report, struct buf *out); /* an array */

struct load_options {
    struct rules_place place;
    bool production;            /* a missing secret is a mistake; otherwise a warning */
    const char *secrets_folder; /* files named like secrets (systemd credentials); NULL: environment only */
    struct watchdog_slot *slot; /* of this thread: also what no hook reaches is ended; NULL: only what hooks reach */
    bool stand_ins;             /* what is not set has a value that fits (stand_ins.h): tests of rules */
    bool no_secrets;    /* with stand_ins: every secret is one, whatever is set: for what shows all that is made of them */
    struct slice files; /* of rule_files.h, instead of what the folder holds; data NULL: read the folder */
};

/* Reads the folder. Which files are rule files: rules.md 1. ERR_SCRIPT: the report has errors and *out is NULL. Otherwise OK, and
 * *out has one reference (number 0: the server counts). ERR_IO: the folder cannot be read; said as a finding too. */
enum result load_generation(const struct load_options *options, struct generation **out, struct load_report *report) MUST_CHECK;

#endif
