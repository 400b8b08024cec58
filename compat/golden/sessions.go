package golden

import (
	"cmp"
	"maps"
	"slices"
)

// A topic defines one session for either dialect.
type topic func(Dialect) *script

// Sessions returns the sessions to record for a dialect, without replies, in the order of their names.
func Sessions(dialect Dialect) []Session {
	var sessions []Session
	for _, topics := range [][]topic{
		methodTopics, argumentTopics, valueTopics, scalarTopics, structureTopics, xmlTopics, httpTopics, codingTopics,
		seededTopics, columnTopics, generatedTopics,
	} {
		for _, topic := range topics {
			sessions = append(sessions, topic(dialect).Session)
		}
	}
	slices.SortFunc(sessions, func(a, b Session) int { return cmp.Compare(a.Name, b.Name) })
	return sessions
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
