package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

func (p *program) completionCommand() *cobra.Command {
	shells := []cobra.Completion{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:     "completion bash|zsh|fish",
		GroupID: groupSetup,
		Short:   "print what makes a shell complete verbs, options and places",
		Long: `Prints a script with which a shell completes verbs, options and places: files
whose endings tell what they are, and the server that PRSERV_HOST names. That of
bash needs the package bash-completion.`,
		Example: `  source <(prserv-tool completion bash)
  prserv-tool completion fish > ~/.config/fish/completions/prserv-tool.fish`,
		Args:      arguments(1, 1, "for which shell? Name bash, zsh or fish"),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.stdout, true)
			case "zsh":
				return root.GenZshCompletion(p.stdout)
			case "fish":
				return root.GenFishCompletion(p.stdout, true)
			}
			return fmt.Errorf("there is no completion for %q; name bash, zsh or fish", args[0])
		},
	}
}

func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man [DIR]",
		GroupID: groupSetup,
		Short:   "write the man pages",
		Long: `Writes the man pages to the folder DIR, which is made if it does not exist, or
without DIR, one behind the other to stdout.`,
		Example: `  prserv-tool man | man -l -
  prserv-tool man /usr/local/share/man/man1`,
		Args: arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			pages, err := manPages(cmd.Root())
			if err != nil {
				return err
			}
			if len(args) > 0 {
				return writePages(args[0], pages)
			}
			for _, page := range pages {
				if _, err := p.stdout.Write(page.text); err != nil {
					return fmt.Errorf("writing man pages: %w", err)
				}
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
}

// manPage is a man page.
type manPage struct {
	name string
	text []byte
}

func writePages(dir string, pages []manPage) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making the folder for man pages: %w", err)
	}
	for _, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, page.name), page.text, 0o666); err != nil {
			return fmt.Errorf("writing a man page: %w", err)
		}
	}
	return nil
}

// manPages returns the pages of a program and its verbs.
func manPages(root *cobra.Command) ([]manPage, error) {
	var pages []manPage
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if cmd.Hidden {
			continue
		}
		var text bytes.Buffer
		never := time.Time{}
		header := &doc.GenManHeader{Section: "1", Date: &never, Source: "bitbake-prserv", Manual: "PR values of BitBake"}
		if err := doc.GenMan(cmd, header, &text); err != nil {
			return nil, fmt.Errorf("making the man page of %s: %w", cmd.CommandPath(), err)
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		pages = append(pages, manPage{name, []byte(tidy(text.String(), cmd))})
	}
	return pages, nil
}

// tidy takes the date out of a page, which is none, and writes its options as
// --help does.
func tidy(page string, cmd *cobra.Command) string {
	page = strings.Replace(page, `"Jan 0001"`, `""`, 1)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, _ := pflag.UnquoteUsage(f)
		if value != "" {
			value = ` \fI` + value + `\fP`
		}
		line := regexp.MustCompile(`(?m)^(.*\\fB--` + f.Name + `\\fP).*$`)
		page = line.ReplaceAllStringFunc(page, func(found string) string {
			return line.FindStringSubmatch(found)[1] + value
		})
	})
	return page
}
