/* keys.h: from the text of a secret or public key to what signatures are checked with. A text that is not of its form gives no
 * key: nothing is ever verified with part of one. */
#ifndef TIDEWIRE_KEYS_H
#define TIDEWIRE_KEYS_H

#include <openssl/evp.h>

#include "model/verification.h"

enum { KEY_BYTES_MAX = 1024 };

enum public_key_kind { PUBLIC_ED25519, PUBLIC_P256, PUBLIC_RSA /* of 2048 bits or more */ };

/* The bytes of an HMAC key into bytes (KEY_BYTES_MAX) unless they are the text itself; data NULL: not of that form, or empty. */
struct slice key_bytes(enum verify_key form, struct slice secret, unsigned char *bytes);
/* A public key or certificate in the place of a secret, PEM or base64: anybody knows it. */
bool secret_is_public(struct slice secret);
/* algorithm: "sha256", "HS256" …; NULL: the secret has not that form. EVP_MAC_CTX_free. */
EVP_MAC_CTX *key_mac(const struct verify *verify, struct slice secret);
/* Ed25519: 64 hex digits, or "whpk_" and base64 of 32 bytes. All: base64 or PEM of a SubjectPublicKeyInfo (RFC 5280). NULL: it is
 * not a key of that kind. EVP_PKEY_free. */
EVP_PKEY *public_key_read(enum public_key_kind kind, struct slice text);
/* PEM, without a password; RSA of at most 4096 bits, since signing takes the square of that. NULL: it is none of that kind.
 * EVP_PKEY_free. */
EVP_PKEY *private_key_read(enum public_key_kind kind, struct slice pem);
/* The kind that the scheme signs with; of VERIFY_HMAC that of its `public_signature`. */
enum public_key_kind public_key_kind_of(const struct verify *verify);
/* Does its sender sign with a private key, not with a secret that both sides have? */
bool signs_by_key(const struct verify *verify);
/* Does the signature, raw (Ed25519, RSA with PKCS #1 v1.5) or DER (P-256), cover these bytes? SHA-256 but for Ed25519. */
bool public_key_agrees(EVP_PKEY *key, const unsigned char *signature, size_t len, struct slice covered);
/* The same with an RSA key and SHA-1. */
bool rsa_sha1_agrees(EVP_PKEY *key, const unsigned char *signature, size_t len, struct slice covered);
bool public_key_is(const EVP_PKEY *key, enum public_key_kind kind);

#endif
