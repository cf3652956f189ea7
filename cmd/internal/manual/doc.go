// Package manual writes manual pages in the form of man(7): of a program and its
// commands, from what they say of themselves when asked for help, so that the
// two cannot differ; and of anything else that is a list of terms.
package manual
