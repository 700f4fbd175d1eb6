/* sender_stand_in.c: requests that are answered without a network. */
#include "deliver/sender_inside.h"

#include "base/mem.h"

struct transfer *stand_in_start(struct sender *sender, const struct outgoing *request, sender_done on_done, void *arg)
{
    struct transfer *transfer = MEM_NEW(struct transfer);
    transfer->sender = sender;
    transfer->request = *request;
    transfer->on_done = on_done;
    transfer->arg = arg;
    transfer_link(transfer);
    sender->due = true;
    return transfer;
}

void stand_in_ask(struct sender *sender)
{
    while (sender->under_way) {
        struct transfer *transfer = sender->under_way;
        while (transfer->next)
            transfer = transfer->next;
        struct answer answer = {
            .detail = "", .body = SLICE(""), .content_type = SLICE(""), .retry_after = SLICE(""), .head = SLICE("")
        };
        transfer_unlink(transfer);
        sender->stand_in->answer(sender->stand_in->arg, &transfer->request, &answer);
        answer.cut = answer.body.len > transfer->request.max_response_bytes;
        if (answer.cut)
            answer.body.len = transfer->request.max_response_bytes;
        transfer->on_done(transfer->arg, &answer);
        mem_free(transfer);
    }
}
