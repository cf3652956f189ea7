package wording

import (
	"strings"

	"docusort/cmd/docusort/internal/report/display"
)

// Word is a word of the report, what it means, and what to do about it; empty: nothing.
type Word struct{ Word, Meaning, Do string }

// Text is what is said of a word.
func (w Word) Text() string {
	if w.Do == "" {
		return w.Meaning
	}
	return w.Meaning + " What to do: " + strings.ToLower(w.Do[:1]) + w.Do[1:]
}

// Words explains the states of documents, in their order, and what else a report names.
func Words() []Word {
	return []Word{
		{"waiting", "In the inbox, not uploaded yet; a reason beside it says what it waits for.", ""},
		{"submitting", "Its upload is under way; on the status page \"uploading\".", ""},
		{"pending", "The service works on it. A job that is lost, or takes longer than DOCUSORT_JOB_TIMEOUT, is replaced.", ""},
		{"identified", "Its type is known, and it moves to its folder.", "If a reason beside it says why it cannot be moved, mend that."},
		{"filed", "In the folder of its type.", "If the type is wrong: docusort refile ID TYPE."},
		{"review", "In _review, because the confidence was under DOCUSORT_MIN_CONFIDENCE.",
			"Look at it, then docusort refile ID TYPE, or refile ID --as-identified; or move it to the folder of its type by hand."},
		{"failed", "In _failed, because it could not be identified; NAME.error.json beside it says why.",
			"Mend what that says, then docusort retry ID. Or docusort refile ID TYPE."},
		{"gone", "Removed from the inbox, or changed in it, before it was filed; or taken out of _review or _failed to another place. What was changed is a new document. Of one that a person changed and then filed, what it was before.", ""},
		{"on hold", "All work waits for something that is no document's fault: the account, the service, its rate limit, a disk or the inbox. No document fails because of it.",
			"What the report says. Then work goes on by itself."},
		{"stuck", "Unfinished for longer than DOCUSORT_STUCK_AFTER for a reason of its own: it cannot be read or moved, or is refused again and again.",
			"What the reason beside it says. It is tried again by itself."},
		{"not taken", "A file in the inbox that is no document yet: it is being written, cut short or empty.",
			"If nobody is writing it, copy it again, or wait: it is taken after DOCUSORT_INCOMPLETE_AFTER."},
	}
}

// Explain writes the words as a list for a terminal, in lines of at most width columns.
func Explain(width int) string {
	const indent = 14
	var b strings.Builder
	for _, w := range Words() {
		head := "  " + display.Pad(w.Word, indent-2)
		for _, line := range display.Wrap(w.Text(), width-indent) {
			b.WriteString(head + line + "\n")
			head = strings.Repeat(" ", indent)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
