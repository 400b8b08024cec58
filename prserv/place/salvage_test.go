package place

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestSalvageRandom overwrites pages, or pieces of them, at random, cuts files
// short, and damages their headers. What is salvaged was there, and only rows
// of what was overwritten are missing.
func TestSalvageRandom(t *testing.T) {
	const rows = 1500
	var saved, all int64
	for seed := range uint64(18) {
		random := rand.New(rand.NewPCG(seed, 21))
		of := generations[seed%2]
		var stored []Row
		values := map[Row]bool{}
		for i := range rows {
			r := Row{fmt.Sprintf("package-%d-1.0-r%d", i/3, i%2), "core2-64", fmt.Sprintf("%064x", uint64(i)*0x9e3779b97f4a7c15), fmt.Sprint(i % 300)}
			stored = append(stored, r)
			values[r] = true
		}
		src := Place{Database, filepath.Join(t.TempDir(), "a.db")}
		if _, err := (&Work{}).Copy(t.Context(), makePlace(t, SQL, of, stored), src, CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		data := []byte(prservtest.ReadFile(t, src.Name))
		damaged := int64(0) // pages, each of fewer than 40 rows
		for range 1 + random.IntN(4) {
			at, length := random.IntN(len(data)/512)*512, []int{512, 4096}[random.IntN(2)]
			if seed%6 == 0 {
				at, length = 0, 4096
			}
			for i := at; i < min(at+length, len(data)); i++ {
				data[i] = byte(random.IntN(256)) * byte(seed/2%2)
			}
			damaged += 2
		}
		if seed%5 == 0 {
			cut := random.IntN(len(data) / 4)
			data = data[:len(data)-cut]
			damaged += int64(cut)/4096 + 1
		}
		prservtest.WriteFile(t, src.Name, string(data))
		dst := Place{Database, filepath.Join(t.TempDir(), "b.db")}
		warned := 0
		w := &Work{Warn: func(line string) { warned++ }}
		c, err := w.Copy(t.Context(), src, dst, CopyOptions{Salvage: true})
		if err != nil || !c.NotWhole || warned < 2 {
			t.Errorf("seed %d: %+v, %v; warned %d times", seed, c, err, warned)
			continue
		}
		if least := rows - 40*damaged; c.New < least {
			t.Errorf("seed %d: %d rows were saved, want %d at least", seed, c.New, least)
		}
		for _, r := range listed(t, dst, ListOptions{}) {
			if !values[r] {
				t.Errorf("seed %d: %v was never stored", seed, r)
			}
		}
		saved, all = saved+c.New, all+rows
		prservtest.WantFolder(t, "salvaged", filepath.Dir(src.Name), "a.db")
	}
	t.Logf("%d of %d rows were saved", saved, all)
}

// TestSalvageSound copies a sound place as copy does otherwise.
func TestSalvageSound(t *testing.T) {
	rows := []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "4"}}
	for _, kind := range []Kind{Database, SQL} {
		for _, of := range generations {
			dst := Place{Database, filepath.Join(t.TempDir(), "b.db")}
			w := &Work{Warn: func(line string) { t.Errorf("warned %q", line) }}
			c, err := w.Copy(t.Context(), makePlace(t, kind, of, rows), dst, CopyOptions{Salvage: true})
			if err != nil || c != (Copied{New: 2}) {
				t.Errorf("kind %d, generation %d: %+v, %v", kind, of.number, c, err)
			}
			wantRows(t, "copied", stored(t, dst.Name, of), rows)
		}
	}
}

// TestSalvageOthers leaves out what no PR server issues, and what is in other
// tables of a damaged file.
func TestSalvageOthers(t *testing.T) {
	p := newFile(t, make1+"CREATE TABLE notes (a, b, c, d); INSERT INTO notes VALUES ('v', 'p', 'note', 7);"+
		"INSERT INTO PRMAIN_nohist VALUES ('v','p','a',3), ('v','p','huge',2147483648), ('v','p','below',-1), ('v','p','real',1.5), ('','p','none',1), "+
		"('v','p','null',NULL), ('v','p',x'41',1), ('v','p','line'||char(10),1), ('v','p',CAST(x'ff' AS TEXT),1), ('v','p','b',0)")
	damageTail(t, p)
	warned := map[string]bool{}
	w := &Work{Warn: func(line string) { warned[line] = true }}
	dst := Place{Inc, filepath.Join(t.TempDir(), "b.inc")}
	c, err := w.Copy(t.Context(), p, dst, CopyOptions{Salvage: true, All: true})
	if err != nil || c != (Copied{New: 2, NotWhole: true}) {
		t.Errorf("%+v, %v", c, err)
	}
	wantRows(t, "salvaged", listed(t, dst, ListOptions{}), []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "0"}})
	if line := p.Name + ": the row v p huge 2147483648 is left out: it is no PR value"; !warned[line] {
		t.Errorf("warned %q, want %q among it", slices.Collect(maps.Keys(warned)), line)
	}
}

// damageTail makes a file unsound behind its last page that has rows.
func damageTail(t *testing.T, p Place) {
	t.Helper()
	db := openDB(t, p.Name)
	execute(t, db, "CREATE TABLE last (a); INSERT INTO last VALUES (zeroblob(9000))")
	db.Close()
	if err := os.Truncate(p.Name, int64(len(prservtest.ReadFile(t, p.Name))-4096)); err != nil {
		t.Fatal(err)
	}
}

// TestSalvageBoth has rows of both tables, and one that reserves a number.
func TestSalvageBoth(t *testing.T) {
	p := newFile(t, make1+make3+"INSERT INTO PRMAIN_nohist VALUES ('v','p','a',3), ('v','p','"+store.Reserved+"',4);"+
		"INSERT INTO PRMAIN VALUES ('v','p','b','3.1')")
	damageTail(t, p)
	dst := Place{Database, filepath.Join(t.TempDir(), "b.db")}
	c, err := (&Work{}).Copy(t.Context(), p, dst, CopyOptions{Salvage: true})
	if err != nil || c.New != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	wantRows(t, "salvaged", listed(t, dst, ListOptions{}), []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "3.1"}})
	wantRows(t, "salvaged, whole numbers", sortedRows(stored(t, dst.Name, generation1)),
		[]Row{{"v", "p", "a", "3"}, {"v", "p", store.Reserved, "4"}})
}

// TestSalvageRefused has places of which nothing can be salvaged.
func TestSalvageRefused(t *testing.T) {
	text := strings.Repeat("Dear colleagues, this is no database; it is a letter. ", 100)
	dump := textPlace(t, "a.sql", begin+make1+"ROLLBACK;")
	for about, test := range map[string]struct {
		src, dst Place
		want     string
	}{
		"a letter":       {textPlace(t, "a.db", text), textPlace(t, "b.db", ""), "a.db: no row of a PR server can be read in it"},
		"a letter, .sql": {textPlace(t, "c.sql", text), textPlace(t, "b.db", ""), "no row of a PR server can be read in it"},
		"no row":         {dump, textPlace(t, "b.db", ""), "a.sql: no row of a PR server can be read in it"},
		"itself":         {dump, dump, "cannot be copied to itself"},
		"a file itself":  {textPlace(t, "d.db", ""), Place{}, "not to be salvaged into itself"},
		"a server":       {Place{Server, "127.0.0.1:1"}, textPlace(t, "b.db", ""), "127.0.0.1:1: connection refused"},
		"no file":        {Place{Database, t.TempDir() + "/a.db"}, textPlace(t, "b.db", ""), "no such file"},
	} {
		dst, generation := test.dst, 0
		if dst == (Place{}) { // in place is only ever possible with a generation
			dst, generation = test.src, store.Generation3
		}
		_, err := (&Work{}).Copy(t.Context(), test.src, dst, CopyOptions{Salvage: true, Generation: generation})
		prservtest.WantOneLine(t, about, err, test.want)
	}
}
