package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"starling"
)

// A Query says which documents to read.
type Query struct {
	// Cluster is the cluster that the documents are in now; 0 for all.
	Cluster starling.ClusterID
	// Limit is the most documents; 0 for all.
	Limit int
}

// documentQuery reads one document.
const documentQuery = "SELECT " + documentColumns + " FROM documents WHERE seq = ?"

// membersQuery returns the numbers of the documents of a cluster: from the
// table of members, which holds those up to the number indexed, and from the
// journal after that.
const membersQuery = `
SELECT members.seq FROM micros JOIN members USING (micro) WHERE micros.cluster = ?1
UNION ALL
SELECT documents.seq FROM documents JOIN micros USING (micro) WHERE documents.seq > ?2 AND micros.cluster = ?1
ORDER BY 1 LIMIT ?3`

// Documents yields documents in the order they came, each with the cluster
// that it is in now.
func (s *Store) Documents(ctx context.Context, q Query) iter.Seq2[starling.Update, error] {
	if q.Cluster == 0 {
		return s.Members(ctx)
	}
	return func(yield func(starling.Update, error) bool) {
		members, err := s.members(ctx, q)
		if err != nil {
			yield(starling.Update{}, err)
			return
		}
		for _, seq := range members {
			update, err := s.readDocument(ctx, seq)
			update.Cluster = q.Cluster
			if !yield(update, err) || err != nil {
				return
			}
		}
	}
}

// members returns the numbers of the documents that a query asks for.
func (s *Store) members(ctx context.Context, q Query) (members []int64, err error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	rows, err := tx.QueryContext(ctx, membersQuery, int64(q.Cluster), p.indexed, sqlLimit(q.Limit))
	return collect(s.path, rows, err, func(seq *int64) []any { return []any{seq} })
}

func (s *Store) readDocument(ctx context.Context, seq int64) (starling.Update, error) {
	rows, err := s.document.QueryContext(ctx, seq)
	all, err := s.updates(rows, err)
	if err != nil {
		return starling.Update{}, err
	}
	if len(all) != 1 {
		return starling.Update{}, s.missing(seq)
	}
	return all[0], nil
}

// Members yields all documents in the order they came, each with the cluster
// that it is in now. A cluster that ends meanwhile may still show.
func (s *Store) Members(ctx context.Context) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		clusters, last, err := s.clusters(ctx)
		if err != nil {
			yield(starling.Update{}, err)
			return
		}
		for after := int64(0); after < last; {
			page, err := s.Updates(ctx, after, int(min(pageRecords, last-after)))
			if err == nil && len(page) == 0 {
				err = s.missing(after + 1)
			}
			if err != nil {
				yield(starling.Update{}, err)
				return
			}
			for _, update := range page {
				cluster, ok := clusters[update.Micro]
				if !ok {
					err = damaged(s.path, fmt.Sprintf("micro-cluster %d of document %d is missing", update.Micro, update.Seq))
				}
				update.Cluster = cluster
				if !yield(update, err) || err != nil {
					return
				}
			}
			after = page[len(page)-1].Seq
		}
	}
}

// clusters returns the cluster of every micro-cluster, and the number of the
// last document.
func (s *Store) clusters(ctx context.Context) (map[starling.MicroID]starling.ClusterID, int64, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	clusters, err := readMicros(ctx, tx, s.path)
	return clusters, p.documents, err
}

func readMicros(ctx context.Context, tx *sql.Tx, path string) (map[starling.MicroID]starling.ClusterID, error) {
	type row struct{ micro, cluster int64 }
	rows, err := tx.QueryContext(ctx, "SELECT micro, cluster FROM micros")
	all, err := collect(path, rows, err, func(r *row) []any { return []any{&r.micro, &r.cluster} })
	clusters := make(map[starling.MicroID]starling.ClusterID, len(all))
	for _, r := range all {
		clusters[starling.MicroID(r.micro)] = starling.ClusterID(r.cluster)
	}
	return clusters, err
}
