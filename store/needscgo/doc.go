// Package needscgo does not compile without cgo, and so says in one line what is missing.
package needscgo
