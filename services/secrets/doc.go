// Package secrets keeps what functions may read and nobody else: it encrypts secrets before they enter the log, decrypts
// them for functions that run here, and answers wasi:config.
//
// The catalog holds ciphertexts (catalog.View.Secrets). The keys are in no log and no data directory: each node is given
// them when it starts ([LoadKeys]), and a node without one can neither set secrets nor give them to functions.
//
// # A ciphertext, byte by byte
//
//	1   format: 1
//	12  nonce, random
//	…   the value, encrypted
//	16  tag
//
// AES-256-GCM. The additional data is "weft secret", the namespace, the function (or nothing) and the key, joined by zero
// bytes: a ciphertext that is put in the place of another does not decrypt. The ID of a key is the beginning of a hash of
// it, so that nodes agree on IDs without being told.
//
// # Where plaintext is
//
// In a request that sets a secret, until it is encrypted; and in the memory of a call that asked for it. Nothing is kept
// decrypted in between: a password decrypts in a microsecond, and a copy could be out of date. So each call sees what the
// node's catalog has when it asks. A [Value] shows itself to nobody who does not call Reveal.
package secrets
