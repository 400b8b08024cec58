package compat

// option is one option. Of flag, text, number and list, one is set: the place of
// its value in Options. A flag takes no value, a list one each time.
type option struct {
	short, long string
	meta        string
	help        []string // lines, as optparse breaks them
	flag        func(*Options) *bool
	text        func(*Options) *string
	number      func(*Options) *int
	list        func(*Options) *[]string
	ours        bool // the reference does not have it
}

// options are the options in the order of the help.
var options = []option{
	{long: "--version", help: []string{"show program's version number and exit"},
		flag: func(o *Options) *bool { return &o.Version }},
	{short: "-h", long: "--help", help: []string{"show this help message and exit"},
		flag: func(o *Options) *bool { return &o.Help }},
	{short: "-f", long: "--file", meta: "DBFILE", help: []string{"database filename(default: prserv.sqlite3)"},
		text: func(o *Options) *string { return &o.File }},
	{short: "-l", long: "--log", meta: "LOGFILE", help: []string{"log filename(default: prserv.log)"},
		text: func(o *Options) *string { return &o.Log }},
	{long: "--loglevel", meta: "LOGLEVEL", help: []string{"logging level, i.e. CRITICAL, ERROR, WARNING, INFO,", "DEBUG"},
		text: func(o *Options) *string { return &o.LogLevel }},
	{long: "--start", help: []string{"start daemon"},
		flag: func(o *Options) *bool { return &o.Start }},
	{long: "--stop", help: []string{"stop daemon"},
		flag: func(o *Options) *bool { return &o.Stop }},
	{long: "--host", meta: "HOST", help: []string{"ip address to bind"},
		text: func(o *Options) *string { return &o.Host }},
	{long: "--port", meta: "PORT", help: []string{"port number(default: 8585)"},
		number: func(o *Options) *int { return &o.Port }},

	{long: "--database", meta: "URL", help: []string{"PostgreSQL instead of a file, as", "postgres://USER@HOST/DATABASE; several servers may", "share it"},
		text: func(o *Options) *string { return &o.Database }, ours: true},
	{long: "--foreground", help: []string{"serve without becoming a daemon, until SIGINT or", "SIGTERM; the log goes to stderr unless --log is given"},
		flag: func(o *Options) *bool { return &o.Foreground }, ours: true},
	{long: "--check", help: []string{"ask a running server whether it answers or,", "with --status, whether a value could be stored"},
		flag: func(o *Options) *bool { return &o.Check }, ours: true},
	{short: "-r", long: "--read-only", help: []string{"serve a file that another server writes: new values", "are computed but not stored"},
		flag: func(o *Options) *bool { return &o.ReadOnly }, ours: true},
	{short: "-u", long: "--upstream", meta: "HOST:PORT", help: []string{"another PR server, whose values those of this one", "follow"},
		text: func(o *Options) *string { return &o.Upstream }, ours: true},
	{long: "--status", meta: "HOST:PORT", help: []string{"show health, metrics and more over HTTP there; a", "port alone is one of this machine only"},
		text: func(o *Options) *string { return &o.Status }, ours: true},
	{long: "--history", meta: "FILE", help: []string{"keep there who got which value when, the last", "1,000,000 times; none keeps nothing (default:", "DBFILE.history)"},
		text: func(o *Options) *string { return &o.History }, ours: true},
	{long: "--pidfile", meta: "PATH", help: []string{"pid file (default: /tmp/PRServer_IP_PORT.pid;", "none with --foreground)"},
		text: func(o *Options) *string { return &o.PidFile }, ours: true},
	{long: "--log-format", meta: "FORMAT", help: []string{"text, or json for an object a line (default: text)"},
		text: func(o *Options) *string { return (*string)(&o.LogFormat) }, ours: true},
	{long: "--allow", meta: "CIDR", help: []string{"serve only clients of that address or network;", "repeated, or with commas, of several"},
		list: func(o *Options) *[]string { return &o.Allow }, ours: true},
	{long: "--read-only-from", meta: "CIDR", help: []string{"serve clients from there as with --read-only"},
		list: func(o *Options) *[]string { return &o.ReadOnlyFrom }, ours: true},
	{long: "--allow-import", meta: "CIDR", help: []string{"let only clients from there import values"},
		list: func(o *Options) *[]string { return &o.AllowImport }, ours: true},
	{long: "--status-allow", meta: "CIDR", help: []string{"answer only clients from there at --status"},
		list: func(o *Options) *[]string { return &o.StatusAllow }, ours: true},
	{long: "--allow-remote-quit", help: []string{"let clients on other machines stop the server"},
		flag: func(o *Options) *bool { return &o.AllowRemoteQuit }, ours: true},
}
