#include "script/certificates.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* Nobody is asked for a pass phrase. */
static int no_phrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)arg = true;
    return -1;
}

static BIO *open_text(struct slice text)
{
    return text.len > 0 && text.len <= INT_MAX ? BIO_new_mem_buf(text.data, (int)text.len) : NULL;
}

/* ---- certificates ---- */

static int64_t left_s(const ASN1_TIME *end, const ASN1_TIME *now)
{
    int days = 0, seconds = 0;
    return ASN1_TIME_diff(&days, &seconds, now, end) ? (int64_t)days * 86400 + seconds : -1;
}

static void note(struct certificates *out, X509 *certificate, const ASN1_TIME *now)
{
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    int64_t left = left_s(end, now);
    struct tm day = { 0 };
    if (out->count++ == 0) {
        out->first_left_s = out->last_left_s = left;
        (void)ASN1_TIME_to_tm(end, &day); /* it could be compared */
        strftime(out->first_ends, sizeof(out->first_ends), "%Y-%m-%d", &day);
    }
    if (left > out->last_left_s)
        out->last_left_s = left;
}

const char *certificates_read(struct slice pem, int64_t now_s, struct certificates *out)
{
    BIO *text = open_text(pem);
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)now_s);
    bool asked = false;
    X509 *one;
    *out = (struct certificates){ 0 };
    while (text && now && (one = PEM_read_bio_X509(text, NULL, no_phrase, &asked))) {
        note(out, one, now);
        X509_free(one);
    }
    bool whole = !text || ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ASN1_TIME_free(now);
    BIO_free(text);
    ERR_clear_error();
    if (!whole)
        return "a certificate in it is damaged";
    return out->count ? NULL : "there is no certificate in PEM form in it";
}

/* ---- keys ---- */

static const char *read_key(struct slice text, EVP_PKEY **key)
{
    BIO *memory = open_text(text);
    bool asked = false;
    *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, no_phrase, &asked) : NULL;
    BIO_free(memory);
    ERR_clear_error();
    if (*key)
        return NULL;
    return asked ? "the key has a pass phrase: take it off with `openssl pkey`" : "there is no private key in PEM form in it";
}

const char *certificate_key_fault(struct slice certificate, struct slice key)
{
    EVP_PKEY *ours;
    const char *why = read_key(key, &ours);
    BIO *memory = why ? NULL : open_text(certificate);
    bool asked = false;
    X509 *first = memory ? PEM_read_bio_X509(memory, NULL, no_phrase, &asked) : NULL;
    if (!why && (!first || X509_check_private_key(first, ours) != 1))
        why = "the key is not that of the certificate";
    X509_free(first);
    BIO_free(memory);
    EVP_PKEY_free(ours);
    ERR_clear_error();
    return why;
}

/* ---- the whole ---- */

static bool add(EVP_MD_CTX *digest, struct slice part)
{
    uint64_t len = part.data ? part.len + 1 : 0;
    return EVP_DigestUpdate(digest, &len, sizeof(len)) && (!part.len || EVP_DigestUpdate(digest, part.data, part.len));
}

bool target_tls_identify(struct target_tls *tls)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) && add(digest, tls->ca) && add(digest, tls->cert) &&
              add(digest, tls->key) && add(digest, tls->pins ? slice_of(tls->pins) : (struct slice){ NULL, 0 }) &&
              EVP_DigestUpdate(digest, &tls->only_1_3, sizeof(tls->only_1_3)) && EVP_DigestFinal_ex(digest, tls->id, NULL);
    EVP_MD_CTX_free(digest);
    return ok;
}
