// Package disk is how weft writes what it must not lose: the functions of package os, and nothing else.
//
// Builds with the tag weft_faults, which are for tests only, have a disk in their place that fails on demand. It is
// controlled by the files in the directory that the environment variable WEFT_TEST_FAULTS names:
//
//	full     writes and new files fail with ENOSPC
//	stall    writes, syncs and renames wait until the file is gone
//	lossy    what is written is kept in memory until it is synced, so that a kill loses the rest, as a crash of the
//	         machine would; it must be there before the process starts and stay until it ends
//
// What is in force is looked up at each operation, so whoever makes or removes such a file need tell nobody.
package disk
