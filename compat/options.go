package compat

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Options are the options of bitbake-prserv, after the environment and the
// arguments have been read.
type Options struct {
	File, Log, LogLevel string
	Database            string // a URL of PostgreSQL instead of File, or empty
	Host                string
	Port                int
	Start, Stop         bool
	Foreground          bool
	Check               bool // ask a running server how it is
	ReadOnly            bool
	AllowRemoteQuit     bool
	Upstream            string // HOST:PORT of another server, or empty
	Status              string // HOST:PORT for operators, or empty
	History             string // a file, "none", or empty for one beside the database
	PidFile             string
	LogFormat           LogFormat
	// Allow and the others are addresses and networks, with commas between them,
	// as often as the option was given.
	Allow, AllowImport, ReadOnlyFrom, StatusAllow []string
	// Help and Version ask for a text and nothing else.
	Help, Version bool
	// Given holds the long names of the options that were given.
	Given map[string]bool
}

// defaultOptions returns the values of options that are not given.
// Source: bin/bitbake-prserv.
func defaultOptions() Options {
	return Options{
		File: "prserv.sqlite3", Log: "prserv.log", LogLevel: "INFO",
		Host: "0.0.0.0", Port: 8585, LogFormat: LogText,
		Given: map[string]bool{},
	}
}

// NoHistory is the value of --history that keeps none.
const NoHistory = "none"

// UsageError says what is wrong with an option, in the words of Python's optparse.
// [ParseOptions] returns it.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

func usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// setFromEnvironment sets the options whose variables are not empty: PRSERV_FILE
// for --file and so on, but PRSERV_BIND for --host, because in BitBake
// PRSERV_HOST is the server that clients ask. With --foreground, the variables of
// BitBake's own container image count as well.
func (o *Options) setFromEnvironment(foreground bool, getenv func(string) string) error {
	for i := range options {
		opt := &options[i]
		var names []string
		switch opt.long {
		case "--start", "--stop", "--check", "--help", "--version":
			continue
		case "--host":
			names = []string{"PRSERV_BIND"}
		default:
			names = []string{"PRSERV_" + strings.ToUpper(strings.ReplaceAll(opt.long[2:], "-", "_"))}
		}
		name, ok := containerNames[opt.long]
		if opt.long == "--file" && getenv("PRSERV_DATABASE") != "" {
			ok = false // the image always sets DBFILE
		}
		if ok && foreground {
			names = append(names, name)
		}
		for _, name := range names {
			value := getenv(name)
			if value == "" {
				continue
			}
			if err := o.setText(opt, name, value); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// containerNames holds the variables of the container image in BitBake's
// contrib/prserv/Dockerfile. The value of DBMODE is an option there:
// "--read-only".
var containerNames = map[string]string{
	"--file": "DBFILE", "--log": "LOGFILE", "--loglevel": "LOGLEVEL",
	"--host": "HOST", "--port": "PORT", "--read-only": "DBMODE",
}

// setText sets an option from the value of a variable.
func (o *Options) setText(opt *option, name, value string) error {
	if opt.list != nil {
		*opt.list(o) = []string{value} // not as given: the command line replaces it
		return nil
	}
	if opt.flag == nil {
		if _, err := o.set(opt, name, []string{value}); err != nil {
			return usage("environment variable %s: invalid integer value: %s", name, python2.reprBytes(value))
		}
		return nil
	}
	switch strings.ToLower(value) {
	case "1", "true", "yes", "on", "-r", "--read-only":
		*opt.flag(o) = true
		o.Given[opt.long] = true
	case "0", "false", "no", "off":
	default:
		return usage("environment variable %s: %s is neither yes nor no", name, python2.reprBytes(value))
	}
	return nil
}

// ParseOptions reads the options from the environment and then from args, the
// arguments behind the program's name, which override it. It ignores arguments
// that are no options, and everything behind --help and --version, as the
// reference does. The error is a [*UsageError].
//
// Source: Python's optparse.py:OptionParser._process_args.
func ParseOptions(args []string, getenv func(string) string) (Options, error) {
	o := defaultOptions()
	foreground := slices.Contains(args, "--foreground") || getenv("PRSERV_FOREGROUND") != ""
	if err := o.setFromEnvironment(foreground, getenv); err != nil {
		return o, err
	}
	environment := o
	o.Given = maps.Clone(o.Given)
	delete(o.Given, "--file")
	delete(o.Given, "--database")
	err := o.parseArguments(args)
	if err == nil {
		err = o.chooseDatabase(environment)
	}
	return o, err
}

// parseArguments reads the arguments behind the program's name.
func (o *Options) parseArguments(args []string) error {
	for len(args) > 0 && !o.Help && !o.Version {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case arg == "--":
			return nil
		case strings.HasPrefix(arg, "--"):
			args, err = o.parseLong(arg, args)
		case len(arg) > 1 && arg[0] == '-':
			args, err = o.parseShort(arg, args)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chooseDatabase lets --file and --database exclude each other. An argument wins
// over what the environment has set.
func (o *Options) chooseDatabase(environment Options) error {
	if !o.Given["--file"] && !o.Given["--database"] {
		for _, name := range []string{"--file", "--database"} {
			if environment.Given[name] {
				o.Given[name] = true
			}
		}
	}
	switch {
	case o.Stop && !o.Start: // which needs neither
	case o.Given["--file"] && o.Given["--database"]:
		return usage("--file and --database exclude each other; give one of them")
	case o.Given["--file"]:
		o.Database = ""
	}
	return nil
}

func (o *Options) parseLong(arg string, rest []string) ([]string, error) {
	name, value, hasValue := strings.Cut(arg, "=")
	opt, err := findLong(name)
	if err != nil {
		return nil, err
	}
	if hasValue {
		if opt.flag != nil {
			return nil, usage("%s option does not take a value", opt.long)
		}
		rest = append([]string{value}, rest...)
	}
	return o.set(opt, opt.long, rest)
}

// findLong finds the option with a long name, of which the beginning is enough
// if only one option has it. The reference's options come first: whatever was
// short enough for it still is, though we have added options.
func findLong(name string) (*option, error) {
	for _, ours := range []bool{false, true} {
		var found []*option
		var names []string
		for i := range options {
			opt := &options[i]
			if opt.long == name {
				return opt, nil
			}
			if opt.ours == ours && strings.HasPrefix(opt.long, name) {
				found = append(found, opt)
				names = append(names, opt.long)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			slices.Sort(names)
			return nil, usage("ambiguous option: %s (%s?)", name, strings.Join(names, ", "))
		}
	}
	return nil, usage("no such option: %s", name)
}

// parseShort reads an argument that holds short options, such as -r or -fFILE. It
// returns the arguments that are left.
func (o *Options) parseShort(arg string, rest []string) ([]string, error) {
	for i := 1; i < len(arg); i++ {
		name := "-" + arg[i:i+1]
		at := slices.IndexFunc(options, func(opt option) bool { return opt.short == name })
		if at < 0 {
			return nil, usage("no such option: %s", name)
		}
		if opt := &options[at]; opt.flag == nil {
			if i+1 < len(arg) {
				rest = append([]string{arg[i+1:]}, rest...)
			}
			return o.set(opt, name, rest)
		}
		if _, err := o.set(&options[at], name, nil); err != nil || o.Help {
			return rest, err
		}
	}
	return rest, nil
}

// set sets an option. If it takes a value, that is the first of rest. It returns
// the arguments that are left.
func (o *Options) set(opt *option, name string, rest []string) ([]string, error) {
	again := o.Given[opt.long]
	o.Given[opt.long] = true
	if opt.flag != nil {
		*opt.flag(o) = true
		return rest, nil
	}
	if len(rest) == 0 {
		return nil, usage("%s option requires 1 argument", name)
	}
	if opt.text != nil {
		*opt.text(o) = rest[0]
		return rest[1:], nil
	}
	if opt.list != nil {
		if !again {
			*opt.list(o) = nil
		}
		*opt.list(o) = append(*opt.list(o), rest[0])
		return rest[1:], nil
	}
	n, ok := parseOptionInt(rest[0])
	if !ok {
		return nil, usage("option %s: invalid integer value: %s", name, python2.reprBytes(rest[0]))
	}
	*opt.number(o) = n
	return rest[1:], nil
}

// DaemonArgs returns the arguments that start a daemon with these options. The
// user's own arguments do not serve: their paths may be relative. The URL of a
// database is not among them, as it may have a password that others could see;
// [Options.DaemonEnvironment] has it.
func (o Options) DaemonArgs() []string {
	args := []string{
		"--start", "--log=" + o.Log, "--loglevel=" + o.LogLevel,
		"--host=" + o.Host, "--port=" + strconv.Itoa(o.Port), "--pidfile=" + o.PidFile,
		"--upstream=" + o.Upstream, "--status=" + o.Status, "--history=" + o.History,
		"--log-format=" + string(o.LogFormat),
	}
	if o.Database == "" {
		args = append(args, "--file="+o.File)
	}
	for i := range options {
		opt := &options[i]
		if opt.ours && opt.flag != nil && *opt.flag(&o) {
			args = append(args, opt.long)
		}
		if opt.list != nil {
			for _, value := range *opt.list(&o) {
				args = append(args, opt.long+"="+value)
			}
		}
	}
	return args
}

// DaemonEnvironment returns the variables that start a daemon with these options.
func (o Options) DaemonEnvironment() []string {
	env := []string{"PRSERV_DATABASE=" + o.Database}
	if o.Database != "" {
		env = append(env, "PRSERV_FILE=")
	}
	return env
}

// parseOptionInt reads an integer as optparse does: a number that begins with 0x
// is hexadecimal, with 0b binary, with another zero octal. An integer beyond 32
// bits becomes 2^31-1 or its negative, which is no port either.
//
// Source: optparse.py:_parse_num.
func parseOptionInt(s string) (int, bool) {
	base, digits := 10, s
	switch lower := strings.ToLower(s); {
	case strings.HasPrefix(lower, "0x"):
		base, digits = 16, s[2:]
	case strings.HasPrefix(lower, "0b"):
		base, digits = 2, s[2:]
	case strings.HasPrefix(lower, "0"):
		base = 8
	}
	digits = strings.TrimSpace(digits)
	if strings.Contains(digits, "_") {
		return 0, false
	}
	if n, err := strconv.ParseInt(digits, base, 32); err == nil {
		return int(n), true
	}
	if n, ok := new(big.Int).SetString(digits, base); ok {
		return n.Sign() * (1<<31 - 1), true
	}
	return 0, false
}
