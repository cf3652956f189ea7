package main

import (
	"strconv"

	"docusort/cmd/docusort/internal/report/wording"
	"docusort/cmd/docusort/internal/settings"
	"docusort/cmd/internal/manual"

	"github.com/spf13/cobra"
)

func manualPages(root *cobra.Command) []manual.Page {
	top := manual.Of(root, statesPart(), exitStatusOf("run"), filesPart)
	top.Also = append(top.Also, "docusort.env(5)", "docutray-sim(1)", "systemctl(1)")
	pages := []manual.Page{top, settingsPage()}
	for _, cmd := range manual.Commands(root) {
		page := manual.Of(cmd, exitStatusOf(cmd.Name()))
		page.Also = append(page.Also, "docusort.env(5)")
		pages = append(pages, page)
	}
	return pages
}

// statesPart is the topic of help.
func statesPart() manual.Part {
	part := manual.Part{Heading: "States"}
	for _, w := range wording.Words() {
		part.Terms = append(part.Terms, manual.Term{Term: w.Word, Meaning: w.Text()})
	}
	return part
}

// exitStatusOf lists the exit codes of a command, and no others.
func exitStatusOf(command string) manual.Part {
	failed, wrong := "Failed; standard error says why.", "The settings are wrong, or the database cannot be used."
	switch command {
	case "report":
		failed = "Failed, and standard error says why; or, with --exit-code, something failed or work is on hold."
	case "run":
		wrong += " systemd does not restart on it."
	case "doctor":
		wrong = "Something is wrong; the lines with a ✗ say what, and what to do."
	}
	term := func(code int, meaning string) manual.Term {
		return manual.Term{Term: strconv.Itoa(code), Meaning: meaning}
	}
	terms := []manual.Term{term(exitDone, "Done."), term(exitFailed, failed), term(exitUsage, "The command line is wrong.")}
	if command == "run" {
		terms = append(terms, term(exitLeft, "run --once left documents unfiled."))
	}
	if command != "version" && command != "demo" {
		terms = append(terms, term(exitSettings, wrong))
	}
	return manual.Part{Heading: "Exit status", Terms: terms}
}

var filesPart = manual.Part{Heading: "Files", Terms: []manual.Term{
	{Term: settings.DefaultConfigFile, Meaning: "The settings; see docusort.env(5)."},
	{Term: "/etc/docusort/api-key", Meaning: "The API key and nothing else, for root alone; systemd hands it to the service."},
	{Term: "/etc/docusort/NAME.env, /etc/docusort/NAME.api-key, /var/lib/docusort-NAME", Meaning: "The same for docusort@NAME, which --instance NAME stands for."},
	{Term: "/var/lib/docusort/inbox", Meaning: "The watched folder. Members of the group docusort may put documents there."},
	{Term: "/var/lib/docusort/sorted", Meaning: "Where documents go, in folders named after their types; _review and _failed are for those that need somebody to look."},
	{Term: "/var/lib/docusort/docusort.db", Meaning: "The SQLite database of all documents."},
}}

// settingsPage is made of what the settings say of themselves.
func settingsPage() manual.Page {
	page := manual.Page{
		Name: "docusort.env", Section: 5, Short: "settings of docusort",
		Parts: []manual.Part{{Heading: "Description", Text: "The settings of docusort are environment variables, or lines NAME=value of " + settings.DefaultConfigFile +
			" or of the file that --config names. What the environment says goes before the file, and an empty value means the default.\n\n" +
			"Durations are written as 500ms, 5s, 10m, 1h30m or 30d. A value is one line, and comments stand on lines of their own. " +
			"'Single' and \"double\" quotes around a value work as they do in an EnvironmentFile= of systemd.exec(5)."}},
		Also: []string{"docusort(1)", "systemd.exec(5)"},
	}
	part := manual.Part{Heading: "Settings"}
	for _, v := range settings.Describe() {
		if n := len(part.Below); n == 0 || part.Below[n-1].Heading != v.Group {
			part.Below = append(part.Below, manual.Part{Heading: v.Group})
		}
		meaning := v.Meaning + "."
		switch {
		case v.Required:
			meaning += " Required."
		case v.Default != "":
			meaning += " The default is " + v.Default + "."
		}
		below := &part.Below[len(part.Below)-1]
		below.Terms = append(below.Terms, manual.Term{Term: v.Name, Meaning: meaning})
	}
	page.Parts = append(page.Parts, part)
	return page
}
