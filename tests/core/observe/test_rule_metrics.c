/* Numbers that rules make: kinds, bounds, workers added up. */
#include "check.h"

#include "observe/rule_metrics.h"

static struct metric_note note_of(enum metric_kind kind, const char *name, const char *labels, double value)
{
    return (struct metric_note){
        .kind = kind, .name = slice_of(name), .labels = slice_of(labels), .folded = SLICE("route=\"_other\""), .value = value
    };
}

static enum result add(struct rule_metrics *metrics, enum metric_kind kind, const char *name, const char *labels, double value,
                       uint64_t now_ms)
{
    struct metric_note note = note_of(kind, name, labels, value);
    return rule_metrics_note(metrics, &note, now_ms);
}

static char *text_of(const struct rule_metrics *metrics, struct buf *out)
{
    buf_init(out, 16 << 20);
    rule_metrics_write(metrics, out);
    buf_add_byte(out, '\0');
    return out->data;
}

static void has(const struct rule_metrics *metrics, const char *line, bool wanted)
{
    struct buf text;
    CHECK_EQ(line, strstr(text_of(metrics, &text), line) != NULL, wanted);
    buf_deinit(&text);
}

TEST(each_kind_is_written_as_prometheus_reads_it)
{
    struct rule_metrics *metrics = rule_metrics_new();
    CHECK_EQ("", add(metrics, METRIC_COUNT, "orders_total", "route=\"/a\"", 1, 0), OK);
    CHECK_EQ("", add(metrics, METRIC_COUNT, "orders_total", "route=\"/a\"", 2.5, 0), OK);
    CHECK_EQ("", add(metrics, METRIC_GAUGE, "stock", "route=\"/a\"", -7, 10), OK);
    CHECK_EQ("", add(metrics, METRIC_OBSERVE, "amount", "route=\"/a\"", 1, 0), OK);
    CHECK_EQ("", add(metrics, METRIC_OBSERVE, "amount", "route=\"/a\"", 5000, 0), OK);
    has(metrics, "# TYPE tidewire_user_orders_total counter\ntidewire_user_orders_total{route=\"/a\"} 3.5\n", true);
    has(metrics, "# TYPE tidewire_user_stock gauge\ntidewire_user_stock{route=\"/a\"} -7\n", true);
    has(metrics, "tidewire_user_amount_bucket{route=\"/a\",le=\"0.5\"} 0\n", true);
    has(metrics, "tidewire_user_amount_bucket{route=\"/a\",le=\"1\"} 1\n", true);
    has(metrics, "tidewire_user_amount_bucket{route=\"/a\",le=\"1000\"} 1\n", true);
    has(metrics, "tidewire_user_amount_bucket{route=\"/a\",le=\"+Inf\"} 2\n", true);
    has(metrics, "tidewire_user_amount_sum{route=\"/a\"} 5001\n", true);
    CHECK_EQ("a name has one kind", add(metrics, METRIC_GAUGE, "orders_total", "route=\"/a\"", 1, 0), ERR_INVALID);
    rule_metrics_free(metrics);
    rule_metrics_free(NULL);
}

TEST(labels_past_the_bound_are_folded)
{
    struct rule_metrics *metrics = rule_metrics_new();
    char labels[64];
    for (int i = 0; i < RULE_METRICS_LABELS_MAX + 5; i++) {
        snprintf(labels, sizeof(labels), "route=\"/a\",id=\"%d\"", i);
        CHECK_EQ(labels, add(metrics, METRIC_COUNT, "n_total", labels, 1, 0), OK);
    }
    has(metrics, "{route=\"/a\",id=\"99\"} 1\n", true);
    has(metrics, "{route=\"/a\",id=\"100\"}", false);
    has(metrics, "{route=\"_other\"} 5\n", true);
    rule_metrics_free(metrics);
}

TEST(names_and_series_have_bounds)
{
    struct rule_metrics *metrics = rule_metrics_new();
    char name[16], labels[32];
    for (int i = 0; i < RULE_METRICS_NAMES_MAX; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        for (int j = 0; j < RULE_METRICS_SERIES_MAX / RULE_METRICS_NAMES_MAX + 1; j++) {
            snprintf(labels, sizeof(labels), "route=\"/%d\"", j);
            CHECK_EQ(name, add(metrics, METRIC_GAUGE, name, labels, 1, 0), OK);
        }
    }
    CHECK_EQ("one name too many", add(metrics, METRIC_GAUGE, "late", "route=\"/a\"", 1, 0), ERR_FULL);
    CHECK_EQ("a known name", add(metrics, METRIC_GAUGE, "n0", "route=\"/1\"", 5, 0), OK);
    has(metrics, "tidewire_user_n0{route=\"/10\"}", true);
    has(metrics, "tidewire_user_n99{route=\"_other\"}", true);
    has(metrics, "late", false);
    rule_metrics_free(metrics);
}

TEST(workers_add_up)
{
    struct rule_metrics *a = rule_metrics_new(), *b = rule_metrics_new(), *sum = rule_metrics_new();
    char labels[32];
    CHECK_EQ("", add(a, METRIC_GAUGE, "g", "route=\"/a\"", 1, 20), OK);
    CHECK_EQ("", add(b, METRIC_GAUGE, "g", "route=\"/a\"", 2, 10), OK);
    for (int i = 0; i < RULE_METRICS_LABELS_MAX; i++) {
        snprintf(labels, sizeof(labels), "route=\"/%d\"", i);
        CHECK_EQ("", add(a, METRIC_COUNT, "c_total", labels, 1, 0), OK);
        snprintf(labels, sizeof(labels), "route=\"/%d\"", i + 50);
        CHECK_EQ("", add(b, METRIC_COUNT, "c_total", labels, 1, 0), OK);
    }
    CHECK_EQ("", add(b, METRIC_COUNT, "c_total", "route=\"/one more\"", 1, 0), OK);
    CHECK_EQ("two kinds of one name", add(a, METRIC_COUNT, "x", "route=\"/a\"", 1, 0), OK);
    CHECK_EQ("", add(b, METRIC_GAUGE, "x", "route=\"/a\"", 9, 0), OK);
    rule_metrics_add(sum, a);
    rule_metrics_add(sum, b);
    rule_metrics_add(sum, NULL);
    has(sum, "tidewire_user_g{route=\"/a\"} 1\n", true);
    has(sum, "tidewire_user_c_total{route=\"/49\"} 1\n", true);
    has(sum, "tidewire_user_c_total{route=\"/50\"} 2\n", true);
    has(sum, "tidewire_user_c_total{route=\"_other\"} 51\n", true);
    has(sum, "tidewire_user_x{route=\"/a\"} 1\n", true);
    rule_metrics_free(a);
    rule_metrics_free(b);
    rule_metrics_free(sum);
}

TEST_MAIN()
