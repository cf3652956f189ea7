//go:build !cgo

package needscgo

const _ = SQLite_needs_a_C_compiler___install_gcc_and_libc6_dev___and_CGO_ENABLED_must_not_be_0
