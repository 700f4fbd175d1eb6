/* stand_in_keys.h: in tests of rules nobody has the private key of a sender that signs with one of its own. There the public keys
 * of a scheme, or the address of a key set, give way to one whose private half is a secret of the generation. Main thread and
 * command line. */
#ifndef TIDEWIRE_STAND_IN_KEYS_H
#define TIDEWIRE_STAND_IN_KEYS_H

#include "base/arena.h"
#include "model/generation.h"

/* "private key of /path", in the arena: no name that a rule could write. */
struct slice stand_in_key_name(struct arena *arena, struct slice path);
/* The route's scheme takes another public key; *private_key: its other half as PEM, in the generation's arena. false: the scheme
 * has no public key, or there is no memory. Where it is fetched in a certificate, that one needs no name and no authority. Nobody
 * has the generation yet. */
bool stand_in_key_fit(struct generation *generation, const struct route *route, struct slice *private_key);

/* A target that signs with a private key gets one, if its secret has none. Nobody has the generation yet. */
void stand_in_key_sign(struct signing *signing);
/* For crypto.sign and crypto.verify: where the value is a stand-in, a half of the pair that it stands for, in PEM; else the
 * value. kind: EVP_PKEY_ED25519 or EVP_PKEY_EC (P-256), whose pairs are made when they are first asked for; to make one of
 * EVP_PKEY_RSA takes longer than a handler may. A libs_stand_in of struct generation. */
struct slice stand_in_key_half(void *generation, struct slice value, int kind, bool private_half);

/* The pair of all senders whose certificate is fetched, which is made when it is first asked for; public_pem: the certificate,
 * for trials to answer with. NULL: no memory. */
const struct stand_in_key *stand_in_sender(struct generation *generation);

#endif
