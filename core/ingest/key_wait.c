/* key_wait.c: a request whose sender's key is on its way. It stays whole in its connection; nothing else is held. */
#include "ingest/intake.h"

static void on_over(void *arg)
{
    struct intake *intake = arg;
    if (intake->state == INTAKE_KEY_WAITS)
        intake_refuse_and_end(intake, REFUSED_AWAY, 503, "the key to verify this with cannot be had now: try again");
}

static void on_ready(struct key_wait *wait)
{
    struct intake *intake = (struct intake *)((char *)wait - offsetof(struct intake, key_wait));
    timer_stop(&intake->wait_timer);
    intake->state = INTAKE_CHECKING;
    intake->on_key(intake, intake->request);
}

void key_wait_begin(struct intake *intake, struct request *request, struct key_set *set,
                    void (*on_key)(struct intake *intake, struct request *request))
{
    intake->state = INTAKE_KEY_WAITS;
    intake->request = request;
    intake->on_key = on_key;
    intake->key_wait.on_ready = on_ready;
    key_set_wait(set, &intake->key_wait);
    intake_start_timer(intake, on_over, KEY_WAIT_MS);
}
