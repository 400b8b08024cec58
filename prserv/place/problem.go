package place

import "fmt"

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
	each    func(Problem) error
	found   int // problems so far
}

// problem tells of something wrong, and of what to do about it.
func (c *checker) problem(do, format string, args ...any) error {
	c.found++
	return c.each(Problem{What: fmt.Sprintf(format, args...), Do: do})
}

// damaged tells of a file that is damaged, as SQLite says it is.
func (c *checker) damaged(what any) error {
	return c.problem("restore it from a backup, or save what can be read with sqlite3 FILE .recover, or .dump where that is not to be had", "it is damaged: %v", what)
}
