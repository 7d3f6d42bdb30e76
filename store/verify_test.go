package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"starling/store"
)

// faultsOf checks the state in dir.
func faultsOf(t *testing.T, dir string) (faults []string, err error) {
	t.Helper()
	s, err := store.OpenReader(t.Context(), dir)
	if err != nil {
		return nil, err
	}
	defer closeStore(t, s)
	all, err := s.Check(t.Context(), nil)
	for _, fault := range all {
		faults = append(faults, fault.Error())
	}
	return faults, err
}

// A check tells of every step how many rows it looked at.
func TestCheckReports(t *testing.T) {
	file, _ := damagedState(t)
	s := openReader(t, folderOf(t, file))
	steps := make(map[string]store.Step)
	faults, err := s.Check(t.Context(), func(step store.Step) { steps[step.Name] = step })
	if err != nil || len(faults) > 0 {
		t.Fatalf("faults %v, %v", faults, err)
	}
	for name, rows := range map[string]int64{"documents": 350 - damagedDropped, "ids": 3, "edits": 3, "snapshots": 2, "dead_letters": 6, "pages": 0} {
		if got := steps[name]; got.Done != rows || got.Total != rows {
			t.Errorf("%d of %d rows of %s were checked, want %d", got.Done, got.Total, name, rows)
		}
	}
}

// Rows that are whole by themselves and do not belong together are found.
func TestCheckFindsWhatDoesNotBelongTogether(t *testing.T) {
	file, _ := damagedState(t)
	for change, want := range map[string]string{
		"UPDATE documents SET text = 'another' WHERE seq = 200":                                       "document 200 does not match its checksum",
		"UPDATE documents SET embedding = zeroblob(32) WHERE seq IN (200, 201)":                       "the embedding of document 201 does not match",
		"DELETE FROM documents WHERE seq = 200":                                                       "document 200 is missing",
		"DELETE FROM members WHERE seq = 200":                                                         "document 200 is missing from the members of micro-cluster",
		"UPDATE members SET seq = 10200 WHERE seq = 200":                                              "and only those up to 300 are entered",
		"INSERT INTO members VALUES (7777, 200)":                                                      "micro-cluster 7777 has members and is missing",
		"UPDATE micros SET members = members + 1 WHERE micro = 1":                                     "the members of micro-cluster 1 do not match",
		"UPDATE micros SET part_of = micro WHERE micro = 1":                                           "1 micro-clusters are part of one that is missing",
		"UPDATE micros SET cluster = 0 WHERE part_of IS NULL":                                         "is in no cluster",
		"UPDATE ids SET digests = CAST(zeroblob(16) || substr(digests, 17) AS BLOB) WHERE bucket = 1": "bucket 1 of the ids does not match its checksum",
		"UPDATE ids SET digests = x'', checksum = 3306475437 WHERE bucket = 1":                        "is missing from the table of ids",
		"DELETE FROM ids WHERE bucket = 1":                                                            "bucket 1 of the ids is missing",
		"INSERT INTO ids VALUES (99, x'', 0)":                                                         "bucket 99 of the ids does not match",
		"UPDATE snapshots SET data = x'00'":                                                           "snapshot 11 does not match its checksum",
		"DELETE FROM snapshots WHERE number = 10":                                                     "there are 1 snapshots, not 2",
		"UPDATE edits SET seq = 1 WHERE number = 2":                                                   "edit 2 does not match its checksum",
		"DELETE FROM edits WHERE number = 1":                                                          "edit 1 is missing",
		"UPDATE dead_letters SET body = x'00' WHERE number IN (3, 5)":                                 "dead letter 5 does not match its checksum",
		"DELETE FROM dead_letters WHERE number = 3":                                                   "there are 5 dead letters, not 6",
	} {
		dir := folderOf(t, file)
		alter(t, statePath(dir), change)
		faults, err := faultsOf(t, dir)
		if err != nil || len(faults) == 0 && want != "" || !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("%s: the faults are %q, %v; want %q", change, faults, err, want)
		}
	}
}

// However a file is damaged: where a check finds nothing, there is nothing wrong.
func TestCheckFindsDamage(t *testing.T) {
	file, want := damagedState(t)
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	outcomes := make(map[string]int)
	for trial := range 70 {
		damaged, what := blows[trial%len(blows)](random, bytes.Clone(file))
		dir := folderOf(t, damaged)
		faults, err := faultsOf(t, dir)
		switch got, failed := readDamaged(t, dir, false); {
		case err != nil:
			outcomes["does not open"]++
		case len(faults) > 0:
			outcomes["found"]++
		case failed != nil || !reflect.DeepEqual(got, want):
			t.Errorf("%s: a check finds nothing, and reading gives %v", what, failed)
		default:
			outcomes["no harm done"]++
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(outcomes)
	if outcomes["found"] < 10 {
		t.Errorf("damage was found in %d cases; too few for a test", outcomes["found"])
	}
}

// A state that is being written is checked as it was at one moment.
func TestCheckWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	s.SetIndexEvery(50)
	stream := newStream(1)
	commit(t, s, store.Batch{Records: stream.records(300), Snapshot: snapshotOf(300)})
	reader := openReader(t, dir)
	commits := 0
	faults, err := reader.Check(t.Context(), func(store.Step) {
		if commits++; commits < 20 {
			commit(t, s, store.Batch{Records: stream.records(60), Snapshot: snapshotOf(stream.seq)})
			if _, err := s.Trim(t.Context(), store.Retention{Documents: 100, Unpublished: true}); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || len(faults) > 0 || commits < 8 {
		t.Errorf("faults %v, %v, while %d commits were made", faults, err, commits)
	}
	if faults, err := faultsOf(t, dir); err != nil || len(faults) > 0 {
		t.Errorf("afterwards: faults %v, %v", faults, err)
	}
}

// No more faults are named than anyone reads.
func TestCheckNamesSoManyFaults(t *testing.T) {
	file, _ := damagedState(t)
	dir := folderOf(t, file)
	alter(t, statePath(dir), "UPDATE documents SET text = text || '!'")
	faults, err := faultsOf(t, dir)
	if err != nil || len(faults) != 101 || !strings.Contains(faults[100], "more faults") {
		t.Errorf("%d faults, the last is %q, %v", len(faults), fmt.Sprint(faults[len(faults)-1:]), err)
	}
}
