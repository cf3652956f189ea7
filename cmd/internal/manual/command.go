package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Command returns a hidden command that writes manual pages, for those who make
// packages. source is the name and version of what they are a part of.
func Command(source string, pages func(root *cobra.Command) []Page) *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "write the manual pages into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			day, err := date()
			if err != nil {
				return err
			}
			for _, page := range pages(cmd.Root()) {
				file := filepath.Join(args[0], fmt.Sprintf("%s.%d", page.Name, page.Section))
				if err := os.WriteFile(file, page.render(source, day), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// Of returns the page of a command: what it does, how it is called, its flags and
// its subcommands. More parts may follow.
func Of(cmd *cobra.Command, more ...Part) Page {
	description := cmd.Long
	if description == "" {
		description = sentence(cmd.Short)
	}
	p := Page{Name: nameOf(cmd), Section: 1, Short: cmd.Short, Parts: []Part{
		{Heading: "Synopsis", Text: strings.ReplaceAll(cmd.UseLine(), "  ", " ")},
		{Heading: "Description", Text: description},
	}}
	commands := Part{Heading: "Commands"}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			commands.Terms = append(commands.Terms, Term{c.Name(), sentence(c.Short)})
		}
	}
	for _, c := range Commands(cmd) {
		p.Also = append(p.Also, nameOf(c)+"(1)")
	}
	for _, part := range []Part{commands, {Heading: "Options", Terms: flagsOf(cmd)}, {Heading: "Examples", Text: cmd.Example}} {
		if part.Text != "" || part.Terms != nil {
			p.Parts = append(p.Parts, part)
		}
	}
	if cmd.HasParent() {
		p.Also = append(p.Also, nameOf(cmd.Parent())+"(1)")
	}
	p.Parts = append(p.Parts, more...)
	return p
}

// Commands returns the subcommands that have a page: those that are not hidden and
// do something themselves.
func Commands(cmd *cobra.Command) (all []*cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.HasAvailableSubCommands() {
			all = append(all, c)
		}
	}
	return all
}

func nameOf(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func flagsOf(cmd *cobra.Command) (terms []Term) {
	cmd.InitDefaultHelpFlag()
	add := func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		term := "--" + f.Name
		if f.Shorthand != "" {
			term = "-" + f.Shorthand + ", " + term
		}
		if kind != "" {
			term += " " + strings.ToUpper(kind)
		}
		meaning := sentence(usage)
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			meaning += " The default is " + f.DefValue + "."
		}
		terms = append(terms, Term{term, meaning})
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return terms
}
