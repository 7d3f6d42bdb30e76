package store

import (
	"context"
	"fmt"
	"iter"

	"starling"
)

// A Query says which documents to read.
type Query struct {
	// Cluster is the cluster that the documents are in now; 0 for all.
	Cluster starling.ClusterID
	// After leaves out the documents of a cluster up to this Seq.
	After int64
	// Limit is the most documents; 0 for all. With it, no more is read of a cluster
	// than that, and damage of the rest does not show.
	Limit int
}

// Documents yields documents in the order they came, each with the
// micro-cluster and the cluster that it is in now.
func (s *Store) Documents(ctx context.Context, q Query) iter.Seq2[starling.Update, error] {
	documents := s.Members(ctx)
	if q.Cluster != 0 {
		documents = s.documentsOf(ctx, q)
	}
	if q.Limit <= 0 {
		return documents
	}
	return func(yield func(starling.Update, error) bool) {
		left := q.Limit
		for update, err := range documents {
			if left--; !yield(update, err) || left == 0 {
				return
			}
		}
	}
}

// documentsOf yields the documents of one cluster: first those that the table of
// members holds, and then, if they are asked for, those that only the journal does
// yet.
func (s *Store) documentsOf(ctx context.Context, q Query) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		members, whole, p, err := s.members(ctx, q)
		if err != nil {
			yield(starling.Update{}, err)
			return
		}
		for _, m := range members {
			if m.seq <= max(q.After, p.dropped) {
				continue
			}
			update, err := s.readMember(ctx, m)
			if _, left := s.left(ctx, m.seq, err); left || err == nil && update.Micro == 0 {
				continue // it left or was deleted meanwhile
			}
			update.Cluster, update.Micro = q.Cluster, starling.MicroID(whole[m.micro])
			if !yield(update, err) || err != nil {
				return
			}
		}
		if len(whole) == 0 || q.Limit > 0 && len(members) >= q.Limit {
			return // there are none, or more in the table
		}
		for record, err := range s.recordsKept(ctx, max(q.After, p.indexed)+1, p.documents, false) {
			update := record.Update
			if err == nil {
				now, in := whole[int64(update.Micro)]
				if !in {
					continue
				}
				update.Cluster, update.Micro = q.Cluster, starling.MicroID(now)
			}
			if !yield(update, err) || err != nil {
				return
			}
		}
	}
}

// members returns the documents of a cluster that the table of members holds, or the
// first of them that are asked for, what the micro-clusters that they were put into
// are part of now, and how far the state was.
func (s *Store) members(ctx context.Context, q Query) ([]member, map[int64]int64, progress, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, nil, p, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	if q.Limit > 0 {
		members, whole, err := readSomeMembers(ctx, tx, s.path, q.Cluster, max(q.After, p.dropped), q.Limit)
		return members, whole, p, err
	}
	members, whole, err := readMembers(ctx, tx, s.path, q.Cluster)
	return members, whole, p, err
}

func (s *Store) readMember(ctx context.Context, m member) (starling.Update, error) {
	rows, err := s.document.QueryContext(ctx, m.seq, m.seq)
	updates, err := s.updates(rows, err, m.seq, m.seq)
	if err != nil {
		return starling.Update{}, err
	}
	if micro := updates[0].Micro; micro != starling.MicroID(m.micro) && micro != 0 {
		return starling.Update{}, damaged(s.path, fmt.Sprintf("document %d is not of micro-cluster %d", m.seq, m.micro))
	}
	return updates[0], nil
}

// A Placed document is one of the journal and where it is now.
type Placed struct {
	// Record says where the document was put when it came. It has an embedding only
	// where that was asked for.
	Record
	// Cluster and Micro are where it is now.
	Cluster starling.ClusterID
	Micro   starling.MicroID
}

// Placed yields all documents in the order they came, with or without embeddings.
// Those that were deleted are passed over. One that is deleted meanwhile may still
// show, and documents that leave meanwhile may not.
func (s *Store) Placed(ctx context.Context, embeddings bool) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		micros, p, err := s.micros(ctx)
		if err != nil {
			yield(Placed{}, err)
			return
		}
		for record, err := range s.recordsKept(ctx, p.dropped+1, p.documents, embeddings) {
			if err == nil && record.Micro == 0 {
				continue // it was deleted
			}
			now, ok := micros[record.Micro]
			if err == nil && !ok {
				err = damaged(s.path, fmt.Sprintf("micro-cluster %d of document %d is missing", record.Micro, record.Seq))
			}
			if !yield(Placed{record, starling.ClusterID(now.cluster), starling.MicroID(now.whole)}, err) || err != nil {
				return
			}
		}
	}
}

// Members yields what Placed does, as updates that say where the documents are
// now.
func (s *Store) Members(ctx context.Context) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		for document, err := range s.Placed(ctx, false) {
			update := document.Update
			update.Cluster, update.Micro = document.Cluster, document.Micro
			if !yield(update, err) {
				return
			}
		}
	}
}

// recordsKept yields the documents from first to last, but for those that leave
// meanwhile.
func (s *Store) recordsKept(ctx context.Context, first, last int64, embeddings bool) iter.Seq2[Record, error] {
	read := s.readUpdatesAsRecords
	if embeddings {
		read = s.readRecords
	}
	return func(yield func(Record, error) bool) {
		inPages(first, last, yield, func(first, last int64) ([]Record, error) {
			for {
				records, err := read(ctx, s.readers, first, last)
				kept, left := s.left(ctx, first, err)
				if !left {
					return records, err
				}
				first = min(kept, last+1)
			}
		})
	}
}

// readUpdatesAsRecords is readRecords without embeddings.
func (s *Store) readUpdatesAsRecords(ctx context.Context, q querier, first, last int64) ([]Record, error) {
	updates, err := s.readUpdates(ctx, q, first, last)
	records := make([]Record, len(updates))
	for i := range updates {
		records[i].Update = updates[i]
	}
	return records, err
}

// micros returns every micro-cluster as it is now, and how far the state is then.
func (s *Store) micros(ctx context.Context) (map[starling.MicroID]micro, progress, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, p, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	rows, err := tx.QueryContext(ctx, selectMicros)
	all, err := collect(s.path, rows, err, (*micro).dest)
	micros := make(map[starling.MicroID]micro, len(all))
	for _, m := range all {
		micros[starling.MicroID(m.micro)] = m
	}
	return micros, p, err
}
