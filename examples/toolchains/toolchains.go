// Package toolchains holds the scripts of this directory, so that a weft without its repository can build components.
package toolchains

import "embed"

// Scripts are the scripts that build components, with the files that they read: lib.sh and one for each language. They are
// run as `SCRIPT build SOURCE OUT.wasm`. With WEFT_INSTALL=never in the environment, a script that would have to install
// something says what and exits with [StatusMissing].
//
//go:embed *.sh *.rs js python wasm-tools
var Scripts embed.FS

// StatusMissing is the exit status of a script that misses something which it could install.
const StatusMissing = 3
