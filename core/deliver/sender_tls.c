/* sender_tls.c: what a handle shows and asks for in TLS, and in words why TLS failed. libcurl compares authorities, certificate,
 * pins and versions before it uses a connection or a session again: none is ever shared by targets of different `tls`. It does
 * not compare keys, but a certificate has only one. */
#include "deliver/sender_inside.h"

#include <openssl/x509_vfy.h>
#include <string.h>

#include "model/generation.h"

/* ---- what is shown and asked for ---- */

bool tls_is_set(const struct transfer *transfer, const struct target_tls *tls)
{
    if (!tls)
        return !transfer->has_tls;
    return transfer->has_tls && memcmp(transfer->tls_id, tls->id, sizeof(tls->id)) == 0;
}

/* Copied: the handle may outlive the rules. */
static CURLcode set_blob(CURL *easy, CURLoption option, struct slice pem)
{
    struct curl_blob blob = { .data = (void *)pem.data, .len = pem.len, .flags = CURL_BLOB_COPY };
    return curl_easy_setopt(easy, option, pem.data ? &blob : NULL);
}

/* Authorities of a folder would count beside those of the blob. */
static CURLcode set_authorities(CURL *easy, struct slice ca)
{
    CURLcode rc = set_blob(easy, CURLOPT_CAINFO_BLOB, ca);
    const char *folder = ca.data ? NULL : curl_version_info(CURLVERSION_NOW)->capath;
    return rc == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CAPATH, folder) : rc;
}

CURLcode tls_set(struct transfer *transfer, const struct target_tls *tls)
{
    static const struct target_tls none = { 0 };
    CURL *easy = transfer->easy;
    if (tls_is_set(transfer, tls))
        return CURLE_OK;
    if (!tls)
        tls = &none;
    transfer->has_tls = true; /* until all of it is set: that of nobody */
    memset(transfer->tls_id, 0, sizeof(transfer->tls_id));
    CURLcode rc = set_authorities(easy, tls->ca);
    if (rc == CURLE_OK)
        rc = set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->cert);
    if (rc == CURLE_OK)
        rc = set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->key);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, tls->pins);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                              tls->only_1_3 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2);
    if (rc != CURLE_OK)
        return rc;
    transfer->has_tls = tls != &none;
    memcpy(transfer->tls_id, tls->id, sizeof(transfer->tls_id));
    return CURLE_OK;
}

/* ---- why it failed ---- */

struct reason {
    const char *in; /* libcurl's words */
    const char *why;
};

/* What the other side says before it closes, in the words of OpenSSL; these have no codes in libcurl. */
static const char *why_refused(const char *words)
{
    static const struct reason reasons[] = {
        { "certificate required", "it wants a certificate of ours: tls = { cert = …, key = … } on the target" },
        { "alert bad certificate", "it does not take our certificate, or wants one: look at tls.cert of the target" },
        { "alert unknown ca", "it does not know the authority of our certificate: are those between in tls.cert too?" },
        { "alert certificate", "it does not take our certificate: it may be expired, revoked, or of another kind" },
        { "alert access denied", "it does not take our certificate: access denied" },
        { "protocol version", "it speaks no version of TLS that is allowed here (1.2 and newer, or tls.min of the target)" },
        { "unsupported protocol", "it speaks no version of TLS that is allowed here (1.2 and newer, or tls.min of the target)" },
        { "alert handshake failure", "it ends the handshake: it may want a certificate of ours (tls.cert), or other ciphers" },
        { "wrong version number", "it does not speak TLS on this port: is the address meant to be http://?" },
        { "alert", "it ends the connection by a TLS alert" },
        { NULL, NULL },
    };
    const struct reason *reason = reasons;
    while (reason->in && !strstr(words, reason->in))
        reason++;
    return reason->why;
}

static const char *why_not_verified(const struct transfer *transfer)
{
    long verdict = X509_V_OK;
    if (strstr(transfer->error, "subject name")) /* libcurl compares it itself */
        return "its certificate is for another host name";
    curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "its certificate, or one between, has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "its certificate is not valid yet: is the clock right?";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "its certificate is of an authority that is not trusted: a target names its own by tls = { ca = \"….pem\" }";
    default:
        return "its certificate is not valid";
    }
}

const char *tls_why_failed(const struct transfer *transfer, CURLcode rc)
{
    const char *why;
    switch (rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return why_not_verified(transfer);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return "it has another key than tls.pin names";
    case CURLE_SSL_CLIENTCERT:
        return why_refused("certificate required");
    case CURLE_SSL_CERTPROBLEM:
        return "our certificate or key cannot be used: look at tls.cert and tls.key of the target";
    case CURLE_SSL_CACERT_BADFILE:
        return "the authorities to trust cannot be read";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        why = why_refused(transfer->error);
        return why ? why : "it ends the handshake without saying why";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: /* with TLS 1.3 the other side looks at our certificate after the handshake */
        return strstr(transfer->error, "SSL") ? why_refused(transfer->error) : NULL;
    default:
        return NULL;
    }
}
