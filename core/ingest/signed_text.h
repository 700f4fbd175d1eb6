/* signed_text.h: the bytes that a signature covers, by the scheme's template. The one place that makes them: for verifying and
 * for signing samples. One pass: what is put in is never read as a template. */
#ifndef TIDEWIRE_SIGNED_TEXT_H
#define TIDEWIRE_SIGNED_TEXT_H

#include <openssl/evp.h>

#include "ingest/asked.h"

enum { SIGNED_PIECES_MAX = TEMPLATE_PARTS_MAX + 3 * TEMPLATE_PARTS_MAX, FORM_BYTES_MAX = 256 << 10, FORM_FIELDS_MAX = 1000 };

struct signed_text {
    struct slice pieces[SIGNED_PIECES_MAX]; /* borrowed from the request, the scheme and what was asked */
    uint64_t secrets;                       /* bit i: at pieces[i] the secret goes in */
    size_t count;
};

/* Everything that the template refers to, found before anything is computed. url: which of verify->urls; timestamp, id: as found.
 * VERDICT_MISSING: a header, query name or field is not there once; VERDICT_MALFORMED: the body is none that {form-sorted} is
 * made of; VERDICT_MISMATCH: its hash in the query is another one. */
enum verdict signed_text_find(const struct verify *verify, struct asked *asked, struct slice timestamp, struct slice id,
                              size_t url, struct signed_text *out);
/* What a secret makes of it, into digest (EVP_MAX_MD_SIZE bytes). keyed: with its key; begun anew. false: no memory. */
bool signed_text_mac(EVP_MAC_CTX *keyed, const struct signed_text *text, unsigned char *digest);
/* The same for a template with {secret}: SHA-256. */
bool signed_text_hash(struct slice secret, const struct signed_text *text, unsigned char *digest);
/* As one run of bytes, copied into `arena` where it is more than one piece; data NULL: no memory. Without secrets. */
struct slice signed_text_join(const struct signed_text *text, struct arena *arena);

/* signed_form.c: what {form-sorted} stands for. A form: each name and value, by name, then by value, equal ones once, at most
 * FORM_FIELDS_MAX in FORM_BYTES_MAX (Twilio). Nothing for an empty body that comes by GET, nor for JSON whose SHA-256 the query
 * has under verify->body_sha256. Any other body is VERDICT_MALFORMED. */
enum verdict signed_form_find(const struct verify *verify, struct asked *asked, struct slice *text);

/* signed_sns.c: what {sns} stands for: of the members that its Type has, in order and as far as they are there, "name\nvalue\n".
 * In asked->texts. */
enum verdict signed_sns_find(struct asked *asked, struct slice *text);
/* Before anything is fetched or computed: VERDICT_TOPIC: the message is of none of the scheme's topics, and a signature of AWS
 * would not say whose it is; VERDICT_MALFORMED: of a version that the scheme does not take. */
enum verdict signed_sns_admit(const struct verify *verify, struct asked *asked, bool *is_sha1);

#endif
