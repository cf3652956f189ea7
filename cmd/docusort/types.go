package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline/docutray"

	"github.com/spf13/cobra"
)

func (p program) typesCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use:   "types",
		Short: "list the document types that the account can see",
		Long: "types lists the document types that the account can see: the code to put into\n" +
			"DOCUSORT_DOCUMENT_TYPES, the name, and the status. It needs the API key only.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := load(settings.NeedKey)
			if err != nil {
				return err
			}
			client, err := newClient(s, nil, nil)
			if err != nil {
				return err
			}
			defer client.Close()
			types, err := client.DocumentTypes(cmd.Context())
			if err != nil {
				return fmt.Errorf("ask %s for the types: %w", s.BaseURL, err)
			}
			if len(types) == 0 {
				fmt.Fprintln(p.stderr, "The account sees no document types; make some in DocuTray first.")
				return nil
			}
			return p.printTypes(types)
		},
	}
}

func (p program) printTypes(types []docutray.DocumentType) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CODE\tNAME\tSTATUS")
	for _, t := range types {
		fmt.Fprintf(w, "%s\t%s\t%s\n", display.Prose(t.Code), display.Prose(t.Name), statusOf(t))
	}
	return w.Flush()
}

func statusOf(t docutray.DocumentType) string {
	status := strings.ToLower(display.Prose(t.Status))
	if status == "" {
		status = "unknown"
	}
	if t.Draft && status != "draft" {
		status += ", draft"
	}
	return status
}
