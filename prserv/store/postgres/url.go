package postgres

import (
	"errors"
	neturl "net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// WithoutPassword returns a URL as people may see it. A text that is no URL stays
// as it is.
func WithoutPassword(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	// The last @ counts: whoever writes a password may forget to escape its
	// characters.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + rest[at:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	options := strings.Split(query, "&")
	options = slices.DeleteFunc(options, func(option string) bool {
		name, _, _ := strings.Cut(option, "=")
		name, err := neturl.QueryUnescape(name)
		return err != nil || name == "" || name == "password" || name == "sslpassword"
	})
	if len(options) > 0 {
		rest += "?" + strings.Join(options, "&")
	}
	return scheme + "://" + rest
}

// CheckURL returns an error for a text that is no URL of a PostgreSQL database. It
// asks nobody.
func CheckURL(url string) error {
	if !IsURL(url) {
		return errors.New("it is no URL that begins with postgres://; give it as postgres://USER@HOST/DATABASE")
	}
	if _, err := neturl.Parse(url); err != nil {
		return urlError(url, err)
	}
	return nil
}

// urlError says why a URL cannot be read, without the URL: what stands in the
// place of a port may be a part of the password.
func urlError(url string, err error) error {
	if _, syntax := neturl.Parse(url); syntax != nil {
		return errors.New("it is not written as a URL; in a user or password write %40 for @, %3A for :, %2F for / and so on")
	}
	text := oneLine(err)
	var config *pgconn.ParseConfigError // begins with the URL
	if _, why, ok := strings.Cut(text, "`: "); ok && errors.As(err, &config) {
		text = why
	}
	return errors.New(text + "; correct the URL")
}
