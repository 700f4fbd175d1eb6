/* verification.h: who may call a route, as data (providers.md). Made by the loader, lua/tidewire/loader/verify.lua, which also
 * says which combinations there are; core/ingest/verify.h does it. */
#ifndef TIDEWIRE_VERIFICATION_H
#define TIDEWIRE_VERIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum verify_scheme {
    VERIFY_NONE,
    VERIFY_HMAC,
    VERIFY_BEARER,
    VERIFY_HASH,    /* SHA-2 of a text that holds the secret */
    VERIFY_TOKEN,   /* a header equals the secret */
    VERIFY_BASIC,   /* RFC 7617 */
    VERIFY_ED25519, /* RFC 8032 */
    VERIFY_ECDSA,   /* P-256, SHA-256, signature in DER */
    VERIFY_JWT,     /* RFC 7519 behind "Bearer": says who calls, not what */
    VERIFY_RSA,     /* PKCS #1 v1.5, by a certificate that the request names */
};
enum verify_encoding { ENCODING_HEX, ENCODING_BASE64 };
/* The grammar of the signature header: one value; parts "k=v" by ',' or ';'; a space list of "version,signature". */
enum verify_format { FORMAT_PLAIN, FORMAT_PARTS_COMMA, FORMAT_PARTS_SEMICOLON, FORMAT_LIST };
/* How the text of the secret becomes the key. */
enum verify_key { KEY_TEXT, KEY_STANDARD /* "whsec_" + base64 */, KEY_HEX, KEY_BASE64 };
enum stamp_format {
    STAMP_UNIX, /* 10 to 13 digits, 13 are milliseconds */
    STAMP_RFC3339,
    STAMP_UNIX_MS, /* 13 digits */
};

enum template_kind {
    TEMPLATE_TEXT,
    TEMPLATE_BODY,
    TEMPLATE_TIMESTAMP,
    TEMPLATE_ID,
    TEMPLATE_METHOD,
    TEMPLATE_PATH,
    TEMPLATE_HEADER,
    TEMPLATE_QUERY,
    TEMPLATE_FIELD, /* of a JSON body */
    TEMPLATE_URL,
    TEMPLATE_FORM_SORTED,
    TEMPLATE_SECRET, /* VERIFY_HASH only */
    TEMPLATE_CRC32,  /* of the body, in decimal */
    TEMPLATE_SNS,    /* the members of an SNS message, see signed_sns.c */
};
struct template_part {
    enum template_kind kind;
    struct slice text; /* TEMPLATE_TEXT: the bytes; _HEADER, _QUERY: the name; _FIELD: its path */
};

/* Where a timestamp, an id or a signature comes from: one of them, or none (data NULL). */
struct verify_source {
    struct slice header; /* the header's name, or */
    struct slice part;   /* the part of the signature header: "t", or */
    struct slice field;  /* the path in a JSON body, names only: "signature.timestamp" */
};

enum { CERTIFICATE_HOSTS_MAX = 4 };
/* VERIFY_RSA: where the sender's certificate is fetched from, and what makes it the sender's. */
struct verify_certificate {
    struct verify_source url;
    struct slice hosts[CERTIFICATE_HOSTS_MAX]; /* of which the URL has one; '*' in it is the name of an AWS region */
    size_t host_count;
    struct slice path_end; /* "": any path */
    struct slice name_end; /* of its common name, and it chains to the system's authorities; "": the host vouches for it */
};

/* What of the request stands behind the configured URL in {url}. */
enum url_adds { URL_ADDS_NOTHING, URL_ADDS_QUERY, URL_ADDS_PATH /* and query */ };

enum { SECRETS_MAX = 8, PUBLIC_KEYS_MAX = 4, TEMPLATE_PARTS_MAX = 16, URLS_MAX = 2 };
struct verify {
    enum verify_scheme scheme;
    struct slice name;                 /* for event.verified: "github", "hmac", "none" */
    struct slice field;                /* the place in a JSON body that carries the signature; data NULL: */
    struct slice header;               /* the header that carries it, or the token */
    const struct slice *other_headers; /* that may carry it instead: of all of them one is there */
    size_t other_header_count;
    struct slice algorithm; /* "sha1", "sha256", "sha512"; VERIFY_JWT: "HS256", "RS256", "ES256", "EdDSA" */
    enum verify_encoding encoding;
    enum verify_format format;
    enum verify_key key;
    struct slice prefix;           /* a value without it refuses */
    struct slice signature;        /* name of the part, or version in a list: "v1" */
    struct slice public_signature; /* version in a list whose values are Ed25519 signatures: "v1a"; data NULL: none */
    struct verify_source timestamp, id;
    enum stamp_format timestamp_format;
    const struct template_part *signed_parts;
    size_t signed_count;         /* at most TEMPLATE_PARTS_MAX */
    struct slice urls[URLS_MAX]; /* as the sender may have written it; each is tried */
    size_t url_count;
    enum url_adds url_adds;
    struct slice body_sha256;          /* a query name: the hash of a JSON body is there, and stands for {form-sorted} */
    bool json_only;                    /* nothing is accepted with a body that is not JSON to its last byte */
    uint64_t max_age_ms;               /* 0: no time is signed */
    struct slice secrets[SECRETS_MAX]; /* names, see secret_value; any of them verifies */
    size_t secret_count;
    struct slice public_keys[PUBLIC_KEYS_MAX]; /* texts as the loader has checked them; any of them verifies */
    size_t public_key_count;
    struct slice user;             /* VERIFY_BASIC */
    struct slice issuer;           /* VERIFY_JWT; data NULL: any */
    const struct slice *audiences; /* VERIFY_JWT; one of them is asked for */
    size_t audience_count;         /* 0: any */
    struct slice jwks;             /* VERIFY_JWT: the URL of the keys; data NULL: they are in public_keys */
    struct verify_certificate certificate;
    const struct slice *topics; /* TEMPLATE_SNS; the message is of one of them */
    size_t topic_count;
    bool allow_sha1;           /* TEMPLATE_SNS; its version 1 */
    const struct verify *also; /* has to hold too; NULL: none */
};

#endif
