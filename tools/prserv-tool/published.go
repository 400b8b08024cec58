package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
	"prserver/prserv/visible"
)

// feedOptions adds the options of feeds.
func (p *program) feedOptions(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.feeds.AllPackages, "all-packages", false, "of a package feed, also take packages that OpenEmbedded has not made")
	cmd.Flags().BoolVar(&p.feeds.History, "history", false, "of a buildhistory, read all versions that its git history has")
}

// publishedOption adds --published to check.
func publishedOption(cmd *cobra.Command, published *string) {
	cmd.Flags().Var(word{published, "FEED"}, "published", "find what this package feed has published above the numbers of PLACE")
}

// checkPublished compares a place with a feed.
func (p *program) checkPublished(ctx context.Context, of, published place.Place, asJSON bool) error {
	out := bufio.NewWriter(p.stdout)
	mend := p.work.MendPublished(of, published)
	var found int64
	var err error
	if asJSON {
		found, err = p.publishedJSON(ctx, of, published, mend, out)
	} else {
		found, err = p.publishedTable(ctx, of, published, out)
	}
	if err = flush(out, err); err != nil || found == 0 {
		return err
	}
	if !asJSON {
		p.say(fmt.Sprintf("%s above what %s has; %s", count(found, "published number"), of, mend))
	}
	return errFound
}

// publishedHeading stands above the table. The last column says how the version
// was read, where it can be read in more than one way.
const publishedHeading = "PACKAGE\tVERSION\tPKGARCH\tPUBLISHED\tKNOWN\tFOUND\n"

// publishedTable writes a line with tabs for each number, or for a person a
// table.
func (p *program) publishedTable(ctx context.Context, of, published place.Place, out io.Writer) (found int64, err error) {
	aligned := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if p.terminal {
		out = aligned
	}
	err = p.work.CheckPublished(ctx, of, published, func(b place.Behind) error {
		if found++; found == 1 && p.terminal {
			io.WriteString(out, publishedHeading) // Flush tells of errors
		}
		name, known := b.Package, b.Known
		if b.Packages > 1 {
			name += fmt.Sprintf(" and %d more", b.Packages-1)
		}
		if known == "" {
			known = "-"
		}
		line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", visible.Text(name), visible.Text(b.Version), visible.Text(b.Pkgarch), b.Published, visible.Text(known), visible.Text(b.Where))
		if b.Why != "" {
			line += "\t" + visible.Text(b.Why)
		}
		_, err := io.WriteString(out, line+"\n")
		return err
	})
	if failed := aligned.Flush(); err == nil {
		err = failed
	}
	return found, err
}

// publishedJSON writes an object.
func (p *program) publishedJSON(ctx context.Context, of, published place.Place, mend string, out io.Writer) (found int64, err error) {
	list := newJSONList(out, "published")
	err = p.work.CheckPublished(ctx, of, published, func(b place.Behind) error {
		found++
		return list.add(struct {
			Package   string `json:"package"`
			Packages  int64  `json:"packages"`
			Full      string `json:"package_version"`
			Where     string `json:"found"`
			Version   string `json:"version"`
			Pkgarch   string `json:"pkgarch"`
			Published string `json:"published"`
			Known     string `json:"known,omitempty"`
			Why       string `json:"why,omitempty"`
		}(b))
	})
	if err != nil {
		return found, err // half an object is no JSON, so nobody takes it for all
	}
	do := ""
	if found > 0 {
		text, err := json.Marshal(mend)
		if err != nil {
			return found, err
		}
		do = ",\n\"do\":" + string(text)
	}
	_, err = fmt.Fprintf(out, "%s%s}\n", list.end(), do)
	return found, err
}
