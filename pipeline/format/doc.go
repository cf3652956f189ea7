// Package format tells what a file is by its bytes, and whether it is whole.
//
// [Sniff] names the formats that the service accepts, [Name] others. [Complete]
// reports whether a file has the end that its format requires, so that a file
// that is still being written is left alone a little longer. Complete is a
// reason to wait, never a reason to refuse: a valid file may look incomplete, and
// a damaged one may look complete. [Blank] reports whether nothing but zeros has been
// written so far.
//
// All look at bytes only, never at names. They read a bounded part of a file, for a
// bounded time: other files wait for their turn meanwhile.
package format
