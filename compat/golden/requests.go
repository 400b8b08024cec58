package golden

import "path/filepath"

// Requests returns the requests recorded below dir, those of both dialects,
// each once. It seeds fuzz tests.
func Requests(dir string) ([][]byte, error) {
	var requests [][]byte
	seen := map[string]bool{}
	for _, dialect := range []Dialect{Py2, Py3} {
		sessions, err := ReadDir(filepath.Join(dir, string(dialect)))
		if err != nil {
			return nil, err
		}
		for _, session := range sessions {
			for _, exchange := range session.Exchanges {
				if key := string(exchange.Request); !seen[key] {
					seen[key] = true
					requests = append(requests, exchange.Request)
				}
			}
		}
	}
	return requests, nil
}
