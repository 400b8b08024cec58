// Package addressspace ends a program with one line where a limit of address
// space (ulimit -v) is too low for it. A program needs only import it.
//
// Go's runtime reserves address space before any line of Go runs, and ends with
// a stack trace where the limit forbids that. It does the same where a thread
// cannot be made later. C runs before it.
//
// A program may define, in C, what its line begins with (address_space_says) and
// its exit code (address_space_code), which are nothing and 1 otherwise.
package addressspace

/*
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
	needed = 1536, // MiB: Go's runtime takes 1200 at once, 300 clients 200 more
	arenas = 2,    // of malloc, each 64 MiB; otherwise nearly every thread has one
	stack = 2,     // MiB for a thread; otherwise 8
};

extern const char address_space_says[] __attribute__((weak));
extern const int address_space_code __attribute__((weak));

__attribute__((constructor)) static void limit_address_space(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
		return;
	}
	unsigned long long allowed = (unsigned long long)limit.rlim_cur >> 20;
	if (allowed < needed) {
		fprintf(stderr, "%sonly %llu MiB of address space are allowed, and this program needs %d; allow more (ulimit -v)\n",
			address_space_says ? address_space_says : "", allowed, needed);
		exit(&address_space_code ? address_space_code : 1);
	}
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, arenas);
	pthread_attr_t threads;
	pthread_attr_init(&threads);
	pthread_attr_setstacksize(&threads, stack << 20);
	pthread_setattr_default_np(&threads);
	pthread_attr_destroy(&threads);
#endif
}
*/
import "C"
