#include "ingest/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <time.h>

#include "ingest/keys.h"

enum { CHAIN_MAX = 8 /* certificates beside the sender's own */, NAME_MAX_BYTES = 256 };

X509_STORE *authorities_new(const char *ca_file)
{
    X509_STORE *authorities = X509_STORE_new();
    if (authorities && !ca_file)
        (void)X509_STORE_set_default_paths(authorities); /* without them no chain holds */
    if (authorities && ca_file)
        (void)X509_STORE_load_file(authorities, ca_file);
    ERR_clear_error();
    return authorities;
}

/* The common name, once in the subject, ends so. */
static bool is_named(X509 *certificate, struct slice end)
{
    unsigned char *text = NULL;
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    struct slice name = { (const char *)text, len > 0 ? (size_t)len : 0 };
    bool fits =
        name.len > end.len && !memchr(name.data, '\0', name.len) && slice_eq_nocase(slice_from(name, name.len - end.len), end);
    OPENSSL_free(text);
    return fits;
}

static const char *check_chain(X509 *certificate, STACK_OF(X509) * others, X509_STORE *authorities, uint64_t now_ms)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    const char *why = "there is no memory to check it";
    if (context && X509_STORE_CTX_init(context, authorities, certificate, others) == 1) {
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)(now_ms / 1000));
        why = X509_verify_cert(context) == 1 ? NULL : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    }
    X509_STORE_CTX_free(context);
    return why;
}

static bool moment_of(const ASN1_TIME *time, uint64_t *ms)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    time_t seconds = timegm(&parts);
    *ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000;
    return true;
}

static const char *take_key(X509 *certificate, struct certificate *out)
{
    if (!moment_of(X509_get0_notBefore(certificate), &out->from_ms) ||
        !moment_of(X509_get0_notAfter(certificate), &out->until_ms))
        return "its times are none";
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (!key || !public_key_is(key, PUBLIC_RSA))
        return "its key is none of RSA with 2048 bits or more";
    EVP_PKEY_up_ref(key);
    out->key = key;
    return NULL;
}

const char *certificate_read(struct slice text, X509_STORE *authorities, struct slice name_end, uint64_t now_ms,
                             struct certificate *out)
{
    BIO *memory = BIO_new_mem_buf(text.data, (int)text.len);
    STACK_OF(X509) *others = sk_X509_new_null();
    X509 *certificate = memory ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL, *other;
    const char *why = certificate && others ? NULL : "it is no certificate in PEM";
    while (!why && sk_X509_num(others) < CHAIN_MAX && (other = PEM_read_bio_X509(memory, NULL, NULL, NULL)))
        if (!sk_X509_push(others, other))
            X509_free(other);
    if (!why && name_end.len && !is_named(certificate, name_end))
        why = "it has another name";
    if (!why && name_end.len)
        why = check_chain(certificate, others, authorities, now_ms);
    if (!why)
        why = take_key(certificate, out);
    X509_free(certificate);
    sk_X509_pop_free(others, X509_free);
    BIO_free(memory);
    ERR_clear_error();
    return why;
}
