/* confirm.c: a verified sender wants an address of its own asked before it sends anything (SNS). */
#include "base/log.h"
#include "base/mem.h"
#include "ingest/intake.h"

struct confirmation {
    struct get get; /* get.url: owned */
    char *route;    /* owned */
};

static void confirmation_free(struct confirmation *confirmation)
{
    mem_free((char *)confirmation->get.url);
    mem_free(confirmation->route);
    mem_free(confirmation);
}

static void on_got(struct get *get, const struct get_answer *answer)
{
    struct confirmation *confirmation = get->owner;
    if (answer->status >= 200 && answer->status < 300)
        LOG(LOG_INFO, "a subscription is confirmed", LOG_T("route", confirmation->route));
    else
        LOG(LOG_ERROR, "a subscription could not be confirmed: have its sender send the confirmation again",
            LOG_T("route", confirmation->route), LOG_I("status", answer->status), LOG_T("detail", answer->detail));
    confirmation_free(confirmation);
}

bool confirm_begin(struct intake *intake, struct slice url)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct confirmation *confirmation = MEM_NEW(struct confirmation);
    confirmation->get = (struct get){ .url = mem_text(url), .on_done = on_got, .owner = confirmation };
    confirmation->route = mem_text(intake->route->path);
    if (to->get(to->arg, &confirmation->get))
        return true;
    confirmation_free(confirmation);
    return false;
}
