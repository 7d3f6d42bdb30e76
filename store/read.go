package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// querier is a pool of connections, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// collect returns all rows of a query whose outcome is rows and err, scanned
// into the fields that dest points out, and closes rows. Tables are strict, so
// a value of another type is damage.
func collect[T any](path string, rows *sql.Rows, err error, dest func(*T) []any) ([]T, error) {
	if err != nil {
		return nil, explain(path, "reading state", err)
	}
	defer rows.Close() //nolint:errcheck // Err says what it would say
	var all []T
	for rows.Next() {
		var t T
		if err := rows.Scan(dest(&t)...); err != nil {
			return nil, fmt.Errorf("reading state: %w", damaged(path, err.Error()))
		}
		all = append(all, t)
	}
	return all, explain(path, "reading state", rows.Err())
}

// one is collect for a query that has one row.
func one[T any](path string, rows *sql.Rows, err error, dest func(*T) []any) (T, error) {
	all, err := collect(path, rows, err, dest)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("reading state: %w", damaged(path, "a row is missing"))
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return all[0], nil
}

// queryOne returns the only row of a query.
func queryOne[T any](ctx context.Context, q querier, path string, dest func(*T) []any, query string, args ...any) (T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	return one(path, rows, err, dest)
}

// queryInt returns the only value of a query.
func queryInt(ctx context.Context, q querier, path, query string, args ...any) (int64, error) {
	return queryOne(ctx, q, path, func(n *int64) []any { return []any{n} }, query, args...)
}

// view begins a transaction that sees one moment of the file, and says how far
// the state is in it. The caller rolls it back, soon: the write-ahead log
// cannot be emptied meanwhile.
func (s *Store) view(ctx context.Context) (*sql.Tx, progress, error) {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, progress{}, explain(s.path, "reading state", err)
	}
	p, err := readProgress(ctx, tx, s.path)
	if err != nil {
		return nil, p, errors.Join(err, tx.Rollback())
	}
	return tx, p, nil
}
