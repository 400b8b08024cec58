package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The groups in which help lists the verbs.
const (
	groupPlaces  = "places"
	groupServers = "servers"
	groupSetup   = "setup"
)

// commands returns the definitions of all verbs, from which parsing, help,
// man pages and completion are made.
func (p *program) commands() *cobra.Command {
	root := &cobra.Command{
		Use:     "prserv-tool VERB [ARGUMENTS] [OPTIONS]",
		Short:   "move, compare and inspect the PR values of BitBake",
		Version: buildVersion(),
		Long: `Moves PR values between places, compares and inspects those, and asks servers.

A place is one of these:

    HOST:PORT                 a PR server, ours or Python's of any BitBake
    NAME.sqlite3, .db         a database file, of any generation of BitBake
    postgres://USER@HOST/DB   a PostgreSQL database that our servers share
    NAME.sql                  a dump of one
    NAME.inc, .conf           configuration, as oe-core exports PR values
    NAME.sql.gz, .inc.zst     such a text, compressed with gzip or zstd
    NAME.history              to read, what a server of ours has given out
    FOLDER, FILE, http://...  to read, what builds have published: deploy/ipk, a
                              buildhistory, Packages.gz, primary.xml, ...

For a file with another ending, and for - (standard input or output), --format
says what it is. A server that is left out is the one that PRSERV_HOST names, as
in BitBake.

The exit code is 0; or 1 if diff has found differences, if check has found
problems, if rows may be missing after copy --salvage, or if raise-twins had no
number left for a twin; or 2 for trouble, which one line on stderr explains.`,
		Example: `  prserv-tool copy prserv.sqlite3 prhost.example:8585
  PRSERV_HOST=prhost.example:8585 prserv-tool list --version 'bash-*'`,
		Args:          cobra.ArbitraryArgs, // checkVerb has looked at them
		SilenceErrors: true,
		SilenceUsage:  true,
		// SuggestionsFor has no default of its own.
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddGroup(&cobra.Group{ID: groupPlaces, Title: "Places"}, &cobra.Group{ID: groupServers, Title: "Servers"},
		&cobra.Group{ID: groupSetup, Title: "Setup"})
	root.AddCommand(p.copyCommand(), p.diffCommand(), p.listCommand(), p.historyCommand(), p.whyCommand(), p.checkCommand(), p.raiseTwinsCommand(),
		p.getCommand(), p.pingCommand(), p.completionCommand(), p.manCommand())
	root.Flags().Bool("version", false, "print the version of the program")
	root.SetHelpCommand(&cobra.Command{
		Use: "help [VERB]", Hidden: true, // --help is what everything speaks of
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return root.Help()
			}
			if err := checkVerb(root, args[0]); err != nil {
				return err
			}
			cmd, _, err := root.Find(args[:1])
			if err != nil {
				return err
			}
			return cmd.Help()
		},
	})
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().BoolP("help", "h", false, "show this help")
		cmd.Flags().SortFlags = false
		cmd.DisableFlagsInUseLine = true // Use has them
		cmd.DisableAutoGenTag = true     // man pages would have a date
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(p.stdout, helpText(cmd)) })
	root.SetFlagErrorFunc(flagError)
	return root
}

// helpText returns what --help prints.
func helpText(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Long, cmd.Example)
	for _, group := range cmd.Groups() {
		fmt.Fprintf(&b, "\n%s:\n", group.Title)
		for _, verb := range cmd.Commands() {
			if verb.GroupID == group.ID {
				fmt.Fprintf(&b, "  %-12s %s\n", verb.Name(), verb.Short)
			}
		}
	}
	fmt.Fprintf(&b, "\nOptions:\n%s", cmd.Flags().FlagUsagesWrapped(80))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s VERB --help says more about a verb.\n", cmd.Name())
	}
	return b.String()
}

// checkVerb returns an error if an argument is to be a verb and is none. Cobra
// would say so in several lines.
func checkVerb(root *cobra.Command, verb string) error {
	known := []string{"help", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}
	for _, cmd := range root.Commands() {
		known = append(known, cmd.Name())
	}
	if slices.Contains(known, verb) || strings.HasPrefix(verb, "-") && verb != "-" {
		return nil
	}
	return fmt.Errorf("there is no verb %q;%s prserv-tool --help lists all", verb, meant(root, verb, ""))
}

// meant asks whether one of the names under a command was meant.
func meant(cmd *cobra.Command, name, prefix string) string {
	names := cmd.SuggestionsFor(name)
	slices.Sort(names)
	names = slices.Compact(names)
	if name == "" || len(names) == 0 {
		return ""
	}
	return " did you mean " + prefix + strings.Join(names, " or "+prefix) + "?"
}

// flagError says in one line what is wrong with an option.
func flagError(cmd *cobra.Command, err error) error {
	lists := cmd.CommandPath() + " --help lists all"
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && !cmd.HasParent():
		return fmt.Errorf("there is no option %s before the verb; write the verb first, %s", written(unknown), lists)
	case errors.As(err, &unknown):
		name := strings.TrimLeft(written(unknown), "-")
		return fmt.Errorf("%s has no option %s;%s %s", cmd.Name(), written(unknown), meant(optionNames(cmd), name, "--"), lists)
	case errors.As(err, &missing):
		return fmt.Errorf("--%s needs a value; %s", missing.GetFlag().Name, lists)
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool":
		return fmt.Errorf("--%s takes no value; %s", invalid.GetFlag().Name, lists)
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s %s: %w", invalid.GetFlag().Name, invalid.GetValue(), errors.Unwrap(invalid))
	}
	return fmt.Errorf("%w; %s", err, lists)
}

// written returns an unknown option as the user has written it.
func written(err *pflag.NotExistError) string {
	if short := err.GetSpecifiedShortnames(); short != "" {
		return "-" + short
	}
	return "--" + err.GetSpecifiedName()
}

// optionNames returns a command under which the options of another stand as
// verbs, because cobra finds similar names among those only.
func optionNames(cmd *cobra.Command) *cobra.Command {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return names
}

// arguments returns a check of how many there are. The question is what to
// say if they are too few.
func arguments(least, most int, question string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		shows := cmd.CommandPath() + " --help shows examples"
		switch {
		case len(args) < least:
			return fmt.Errorf("%s; %s", question, shows)
		case len(args) > most:
			return fmt.Errorf("%q is one argument too many; %s", args[most], shows)
		}
		return nil
	}
}

// buildVersion returns the version of the program as its build knows it, such as
// v1.2.0, or (devel) where it was built from a checkout without one.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
