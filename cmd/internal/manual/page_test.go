package manual

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

const want = `.TH "TOOL" 1 2026-03-04 "suite 1.0"
.ad l
.nh
.SH NAME
tool \- does it \(aqall\(aq
.SH "SYNOPSIS"
tool [flags]
.SH "DESCRIPTION"
tool does it.
\&.dotted \(ti/\e
.PP
Again:
.RS
.nf
tool \-\-all
.fi
.RE
.SH "COMMANDS"
.TP
.B "part"
Does a part.
.SH "OPTIONS"
.TP
.B "\-\-all KIND"
Of this kind. The default is any.
.TP
.B "\-h, \-\-help"
Help for tool.
.SH "FILES"
.TP
.B "/etc/\(dqtool\(dq"
The settings,\: all.
.SS "More"
None.
.SH "SEE ALSO"
.BR tool\-part (1),
.BR tool.conf (5)
`

// A command's page says what its help says, and shows every character as it is.
func TestPageOfACommand(t *testing.T) {
	cmd := &cobra.Command{
		Use: "tool", Short: "does it 'all'", Long: "tool does it.\n.dotted ~/\\\n\nAgain:\n  tool --all",
		Run: func(*cobra.Command, []string) {},
	}
	cmd.Flags().String("all", "any", "of this `kind`")
	cmd.Flags().Bool("secret", false, "hidden")
	if err := cmd.Flags().MarkHidden("secret"); err != nil {
		t.Fatal(err)
	}
	cmd.AddCommand(&cobra.Command{Use: "part", Short: "does a part", Run: func(*cobra.Command, []string) {}},
		&cobra.Command{Use: "secret", Hidden: true, Run: func(*cobra.Command, []string) {}})
	page := Of(cmd, Part{
		Heading: "Files", Terms: []Term{{`/etc/"tool"`, "The settings, all."}}, Below: []Part{{Heading: "More", Text: "None."}},
	})
	page.Also = append(page.Also, "tool.conf(5)")
	dir := t.TempDir()
	t.Setenv("SOURCE_DATE_EPOCH", "1772582400")
	man := Command("suite 1.0", func(*cobra.Command) []Page { return []Page{page} })
	man.SetArgs([]string{dir})
	if err := man.Execute(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "tool.1"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if all := Commands(cmd); len(all) != 1 || all[0].Name() != "part" {
		t.Errorf("%d commands have pages", len(all))
	}
}

func TestDate(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	if day, err := date(); err != nil || time.Since(day) > time.Hour {
		t.Errorf("without a date: %v, %v", day, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := date(); err == nil {
		t.Error("a date that is none is taken")
	}
}
