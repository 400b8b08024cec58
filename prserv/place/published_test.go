package place

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/feed"
	"prserver/prserv/feed/feedtest"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// randomRecipe returns one of few recipes, so that their keys meet.
func randomRecipe(random *rand.Rand) (feedtest.Recipe, feedtest.Style) {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	r := feedtest.Recipe{
		PN: pick("a", "b-c", "lib32-a"), PE: pick("", "", "2"), PV: pick("1.0", "1.0-rc1", "2+dfsg"),
		PR: pick("r0", "r12", "r0.5"), Arch: pick("all", "core2-64", "qemux86_64", "x86_64-nativesdk", "armv7a-neon-vfp"),
	}
	style := feedtest.Style(random.IntN(4))
	if style != feedtest.NoCount {
		r.PV = pick("1.0+git", "1.0-rc1+git", "3+svnr")
	}
	return r, style
}

// TestPublishedNumbersAreNotGivenOutAgain builds random recipes, publishes
// some of the packages, loses the database or restores an old one, and copies
// the feed to it. Whatever is built then has a number above every published one.
func TestPublishedNumbersAreNotGivenOutAgain(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 13))
		format := []feed.Format{feed.Ipk, feed.Deb, feed.Rpm}[random.IntN(3)]
		about := fmt.Sprintf("seed %d, %s", seed, format)
		folder := t.TempDir()
		// Revisions are what clients of BitBake 2.10 and later ask for.
		mode, number := store.Mode{}, store.Generation1
		if random.IntN(2) == 0 {
			mode.Revisions, number = true, store.Generation3
		}
		file := filepath.Join(folder, "first.sqlite3")
		db := prservtest.Open(t, file)
		checksum, keys := 0, map[[2]string]store.Revision{} // what was published
		build := func(db *sqlite.Store, r feedtest.Recipe, style feedtest.Style, each func(key [2]string, value store.Revision)) feedtest.Built {
			t.Helper()
			checksum++
			built, err := r.Build(style, fmt.Sprintf("%010x", checksum), fmt.Sprint("task", checksum), func(version, pkgarch, checksum string) (string, error) {
				value, err := db.GetPR(t.Context(), store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}, mode)
				text := fmt.Sprint(value)
				number, ok := store.ParseRevision(text)
				if err != nil || !ok {
					return "", fmt.Errorf("%v: %w", value, err)
				}
				each([2]string{version, pkgarch}, number)
				return text, nil
			})
			if err != nil {
				t.Fatalf("%s: %v", about, err)
			}
			return built
		}
		type recipe struct {
			feedtest.Recipe
			feedtest.Style
		}
		var recipes []recipe
		var published []feedtest.Built
		backup := ""
		for range 40 {
			r, style := randomRecipe(random)
			recipes = append(recipes, recipe{r, style})
			numbers := map[[2]string]store.Revision{}
			built := build(db, r, style, func(key [2]string, value store.Revision) { numbers[key] = value })
			if random.IntN(2) == 0 {
				published = append(published, built)
				for key, value := range numbers {
					if value.Compare(keys[key]) > 0 {
						keys[key] = value
					}
				}
			}
			if backup == "" && random.IntN(20) == 0 {
				backup = filepath.Join(folder, "backup.sqlite3")
				copyPlace(t, about, Place{Database, file}, Place{Database, backup}, CopyOptions{Generation: number})
			}
		}
		source := Place{Feed, filepath.Join(folder, "feed")}
		if err := feedtest.Write(source.Name, format, published); err != nil {
			t.Fatal(err)
		}
		restored := Place{Database, filepath.Join(folder, "restored.sqlite3")}
		if backup != "" {
			restored.Name = backup
		}
		copyPlace(t, about, source, restored, CopyOptions{})
		err := (&Work{}).CheckPublished(t.Context(), restored, source, func(b Behind) error { return fmt.Errorf("%+v", b) })
		if err != nil {
			t.Errorf("%s: after the copy there is still something to raise: %v", about, err)
		}
		db = prservtest.Open(t, restored.Name)
		for _, r := range recipes {
			build(db, r.Recipe, r.Style, func(key [2]string, value store.Revision) {
				if value.Compare(keys[key]) <= 0 {
					t.Errorf("%s: %s %s gets %s, but %s was published", about, key[0], key[1], value, keys[key])
				}
			})
		}
	}
}

func copyPlace(t *testing.T, about string, src, dst Place, o CopyOptions) Copied {
	t.Helper()
	copied, err := (&Work{}).Copy(t.Context(), src, dst, o)
	if err != nil {
		t.Fatalf("%s: copying %s to %s: %v", about, src, dst, err)
	}
	return copied
}

// feedOf makes a feed of ipks, each a package with its version, in the
// architecture all.
func feedOf(t *testing.T, packages ...string) Place {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "ipk")
	var built []feedtest.Built
	for _, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		i := strings.LastIndexByte(version, '-')
		built = append(built, feedtest.Built{Recipe: feedtest.Recipe{PN: name, Arch: "all"}, PKGV: version[:i], PKGR: version[i+1:]})
	}
	if err := feedtest.Write(folder, feed.Ipk, built); err != nil {
		t.Fatal(err)
	}
	return Place{Feed, folder}
}

// What the database knows decides how a version is read.
func TestCopyFeedReadsWhatIsKnown(t *testing.T) {
	for _, test := range []struct {
		about string
		of    string
		known []Row
		want  []Row // beside those that are known
	}{
		{"nothing is known", "a 1-r0.7", nil, []Row{{"a-1-r0", "all", "published-ipk", "7"}}},
		{"less is known", "a 1-r0.7", []Row{{"a-1-r0", "all", "c", "6"}}, []Row{{"a-1-r0", "all", "published-ipk", "7"}}},
		{"as much is known", "a 1-r0.7", []Row{{"a-1-r0", "all", "c", "7"}}, nil},
		{"more is known", "a 1-r0.7", []Row{{"a-1-r0", "all", "c", "8"}}, nil},
		// What is known of one reading does not tell that another is wrong.
		{"nobody knows which PR", "a 1-r0.5.7", []Row{{"a-1-r0.5", "all", "c", "2"}},
			[]Row{{"a-1-r0", "all", "published-ipk", "6"}, {"a-1-r0.5", "all", "published-ipk", "7"}}}, // 6 is above 5.7
		{"the PR with a dot has got so far", "a 1-r0.5.7", []Row{{"a-1-r0.5", "all", "c", "7"}}, nil},
		{"the PR without a dot has not", "a 1-r0.5.7", []Row{{"a-1-r0", "all", "c", "9"}}, []Row{{"a-1-r0.5", "all", "published-ipk", "7"}}},
		{"the number of nanbield is known", "a 1+git5+0123456789-r0.7",
			[]Row{{"AUTOINC-a-1+git", "all", "AUTOINC+0123456789", "5"}, {"a-1+gitAUTOINC+0123456789-r0", "all", "c", "7"}}, nil},
		{"the count of nanbield is known", "a 1+git5+0123456789-r0.7",
			[]Row{{"AUTOINC-a-1+git", "all", "AUTOINC+0123456789", "5"}, {"a-1+gitAUTOINC+0123456789-r0", "all", "c", "6"}},
			[]Row{{"a-1+gitAUTOINC+0123456789-r0", "all", "published-ipk", "7"}}},
		{"the count of wrynose is known", "a 1+git5+0123456789-r0.7",
			[]Row{{"AUTOINC-a-1+git-", "all", "AUTOINC+0123456789", "4"}, {"a-1+git-r0", "all", "c", "6"}},
			[]Row{{"AUTOINC-a-1+git-", "all", "published-ipk", "5"}, {"a-1+git-r0", "all", "published-ipk", "7"}}},
		{"the number of scarthgap is known", "a 1+git5+0123456789-r0.7",
			[]Row{{"AUTOINC-a-1+git-r", "all", "AUTOINC+0123456789", "5"}, {"a-1+git-r0", "all", "c", "8"}}, nil},
		{"another revision is known", "a 1+git5+0123456789-r0.7", []Row{{"AUTOINC-a-1+git", "all", "AUTOINC+fedcba9876", "4"}}, []Row{
			{"AUTOINC-a-1+git", "all", "published-ipk", "5"}, {"AUTOINC-a-1+git-", "all", "published-ipk", "5"},
			{"AUTOINC-a-1+git-r", "all", "published-ipk", "5"}, {"a-1+git-r0", "all", "published-ipk", "7"},
			{"a-1+git5+0123456789-r0", "all", "published-ipk", "7"}, {"a-1+gitAUTOINC+0123456789-r0", "all", "published-ipk", "7"},
		}},
	} {
		t.Run(test.about, func(t *testing.T) {
			src := feedOf(t, test.of)
			dst := newDB(t, generation1, test.known...)
			copied := copyPlace(t, test.about, src, dst, CopyOptions{})
			if copied.New != int64(len(test.want)) {
				t.Errorf("got %+v, want %d new rows", copied, len(test.want))
			}
			wantRows(t, test.about, listed(t, dst, ListOptions{}), sortedRows(append(test.known, test.want...)))
			if again := copyPlace(t, test.about, src, dst, CopyOptions{}); again.New+again.Raised > 0 || again.Kept == 0 {
				t.Errorf("again: got %+v", again)
			}
		})
	}
}

// A later feed raises the row of an earlier one.
func TestCopyFeedTwice(t *testing.T) {
	dst := newDB(t, generation1)
	copyPlace(t, "first", feedOf(t, "a 1-r0.7"), dst, CopyOptions{})
	if got := copyPlace(t, "second", feedOf(t, "a 1-r0.9"), dst, CopyOptions{}); got != (Copied{Raised: 1}) {
		t.Errorf("got %+v", got)
	}
	wantRows(t, "twice", listed(t, dst, ListOptions{}), []Row{{"a-1-r0", "all", "published-ipk", "9"}})
}

func TestFeedIsOnlyRead(t *testing.T) {
	dst := feedOf(t, "a 1-r0.7")
	_, err := (&Work{}).Copy(t.Context(), newDB(t, generation1), dst, CopyOptions{})
	prservtest.WantOneLine(t, "copy", err, "is a package feed, which is only read")
	_, err = (&Work{}).RaiseTwins(t.Context(), dst)
	prservtest.WantOneLine(t, "raise", err, "is a package feed, which is only read")
	err = (&Work{}).CheckPublished(t.Context(), dst, newDB(t, generation1), nil)
	prservtest.WantOneLine(t, "check", err, "is no package feed")
	// What is wrong with a feed leaves the destination as it is.
	if err := os.WriteFile(filepath.Join(dst.Name, "all", "Packages"), []byte("Package: a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	known := newDB(t, generation1, Row{"v", "p", "c", "1"})
	_, err = (&Work{}).Copy(t.Context(), dst, known, CopyOptions{})
	prservtest.WantOneLine(t, "bad feed", err, "Packages:1: package a has no version")
	wantRows(t, "bad feed", listed(t, known, ListOptions{}), []Row{{"v", "p", "c", "1"}})
}

func TestCheckPublished(t *testing.T) {
	old := feedOf(t, "a 1-r0.7", "b 1-r0.3", "gone 1-r0.3", "c 1-r0.2.1")
	check := func(p Place) (found []Behind) {
		t.Helper()
		err := (&Work{}).CheckPublished(t.Context(), p, old, func(b Behind) error {
			b.Where, _ = strings.CutPrefix(b.Where, old.Name+"/")
			found = append(found, b)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	found := check(newDB(t, generation1, Row{"a-1-r0", "all", "c", "6"}, Row{"b-1-r0", "all", "c", "3"}))
	want := []Behind{
		{"a", 1, "1-r0.7", "all/Packages.gz:1", "a-1-r0", "all", "7", "6", ""},
		{"c", 1, "1-r0.2.1", "all/Packages.gz:34", "c-1-r0", "all", "2.1", "", "r0.2.1 read as PR r0 and 2.1"},
		{"gone", 1, "1-r0.3", "all/Packages.gz:23", "gone-1-r0", "all", "3", "", ""},
	}
	if fmt.Sprint(found) != fmt.Sprint(want) {
		t.Errorf("a database: got\n%+v\nwant\n%+v", found, want)
	}
	// A feed that is yet to be published.
	if found := check(feedOf(t, "a 1-r0.6", "b 1-r0.4", "a 2-r0.0")); len(found) != 1 || found[0].Version != "a-1-r0" || found[0].Known != "6" {
		t.Errorf("a feed: got %+v", found)
	}
	mine := errors.New("mine")
	if err := (&Work{}).CheckPublished(t.Context(), newDB(t, generation1), old, func(Behind) error { return mine }); err != mine {
		t.Errorf("got %v", err)
	}
}
