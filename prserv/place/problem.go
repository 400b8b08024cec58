package place

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// Problem is something wrong with a place.
type Problem struct {
	What string // what is wrong
	Do   string // what to do about it
}

// maxProblems is how many problems of a kind are told one by one.
const maxProblems = 20

// checker finds what is wrong with a place.
type checker struct {
	*Work
	scratch *scratch
	place   Place
	removal string // how a user removes a row of the place
	each    func(Problem) error
	found   int // problems so far
}

// problem tells of something wrong, and of what to do about it.
func (c *checker) problem(do, format string, args ...any) error {
	c.found++
	return c.each(Problem{What: fmt.Sprintf(format, args...), Do: do})
}

// rowsOf tells of the problems in the rows of a query, as many as maxProblems
// one by one, and of the others by their number. The problem of a row that has
// none is empty.
func (c *checker) rowsOf(ctx context.Context, t *table, query string, problemOf func(row []driver.Value) Problem, others func(n int) Problem) error {
	n := 0
	err := c.scratch.walkTable(ctx, t, query, nil, func(row []driver.Value) error {
		p := problemOf(row)
		if p == (Problem{}) {
			return nil
		}
		if n++; n > maxProblems {
			return nil
		}
		c.found++
		return c.each(p)
	})
	if err == nil && n > maxProblems {
		c.found++
		err = c.each(others(n - maxProblems))
	}
	return err
}

// damaged tells of a file that is damaged, as SQLite says it is.
func (c *checker) damaged(what any) error {
	return c.problem(fmt.Sprintf("stop its server, save what can be read with %s rescued.sqlite3, and merge the last backup into that with prserv-tool copy",
		command("copy --salvage", c.place)), "it is damaged: %v", what)
}
