// Package settings reads, checks and describes every setting of docusort.
//
// A command calls [Load] once, at its start, and hands parts of [Settings] to the
// packages that do the work; nothing else in the program reads settings from the
// environment. The manual page and config.example.env are made from [Describe].
//
// Settings come from two places, and for each name the first that has it wins:
//
//  1. the real environment,
//  2. the file of NAME=value lines: the one named, else [DefaultConfigFile].
//
// An empty value means the default, so NAME= in the environment undoes what
// the file says. The file is read as systemd reads an EnvironmentFile=, because
// the same file serves both; where systemd would skip a line in silence, this
// package refuses it and names the line.
//
// Everything that is wrong is found at once and returned as [Problems]: what is
// missing, malformed or contradictory, and every DOCUSORT_ or DOCUTRAY_ name that
// does not exist. What an API key and a base URL may be is decided by package
// docutray. No message contains the API key.
package settings
