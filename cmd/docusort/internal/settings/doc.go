// Package settings reads, checks and describes every setting of docusort.
//
// A command calls [Load] once, at its start, and hands the parts of [Settings]
// that they need to the packages that do the work; nothing else in the program
// looks at environment variables. [Describe] is the list from which help texts
// and config.example.env are made.
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
// Whatever is wrong is found in one go and returned as [Problems]: what is
// missing, malformed or contradictory, and every DOCUSORT_ or DOCUTRAY_ name
// that does not exist. No message ever contains the API key.
package settings
