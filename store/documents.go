package store

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"starling"
)

// A Query says which documents to read.
type Query struct {
	// Cluster is the cluster that the documents are in now; 0 for all.
	Cluster starling.ClusterID
	// Limit is the most documents; 0 for all.
	Limit int
}

// Documents yields documents in the order they came, each with the
// micro-cluster and the cluster that it is in now.
func (s *Store) Documents(ctx context.Context, q Query) iter.Seq2[starling.Update, error] {
	documents := s.Members(ctx)
	if q.Cluster != 0 {
		documents = s.documentsOf(ctx, q.Cluster)
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

// documentsOf yields the documents of one cluster.
func (s *Store) documentsOf(ctx context.Context, cluster starling.ClusterID) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		members, whole, err := s.members(ctx, cluster)
		if err != nil {
			yield(starling.Update{}, err)
			return
		}
		for _, m := range members {
			update, err := s.readMember(ctx, m)
			if _, left := s.left(ctx, m.seq, err); left || err == nil && update.Micro == 0 {
				continue // it left or was deleted meanwhile
			}
			update.Cluster, update.Micro = cluster, starling.MicroID(whole[m.micro])
			if !yield(update, err) || err != nil {
				return
			}
		}
	}
}

// members returns the documents of a cluster: from the table of members, which
// holds those up to the number indexed, and from the journal after that. It
// returns too what the micro-clusters they were put into are part of now.
func (s *Store) members(ctx context.Context, cluster starling.ClusterID) ([]member, map[int64]int64, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	members, whole, err := readMembers(ctx, tx, s.path, cluster)
	if err != nil || len(whole) == 0 {
		return nil, nil, err
	}
	members = slices.DeleteFunc(members, func(m member) bool { return m.seq <= p.dropped })
	for update, err := range s.updatesBetween(ctx, tx, p.indexed+1, p.documents) {
		if err != nil {
			return nil, nil, err
		}
		if _, in := whole[int64(update.Micro)]; in {
			members = append(members, member{int64(update.Micro), update.Seq})
		}
	}
	return members, whole, nil
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

// Members yields all documents in the order they came, each with the
// micro-cluster and the cluster that it is in now. One that ends meanwhile may
// still show, and documents that leave meanwhile may not.
func (s *Store) Members(ctx context.Context) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		micros, p, err := s.micros(ctx)
		if err != nil {
			yield(starling.Update{}, err)
			return
		}
		for update, err := range s.updatesKept(ctx, p.dropped+1, p.documents) {
			if err == nil && update.Micro == 0 {
				continue // it was deleted
			}
			now, ok := micros[update.Micro]
			if err == nil && !ok {
				err = damaged(s.path, fmt.Sprintf("micro-cluster %d of document %d is missing", update.Micro, update.Seq))
			}
			update.Micro, update.Cluster = starling.MicroID(now.whole), starling.ClusterID(now.cluster)
			if !yield(update, err) || err != nil {
				return
			}
		}
	}
}

// updatesKept yields the updates from first to last, but for those of documents
// that leave meanwhile.
func (s *Store) updatesKept(ctx context.Context, first, last int64) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		inPages(first, last, yield, func(first, last int64) ([]starling.Update, error) {
			for {
				updates, err := s.readUpdates(ctx, s.readers, first, last)
				kept, left := s.left(ctx, first, err)
				if !left {
					return updates, err
				}
				first = min(kept, last+1)
			}
		})
	}
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
