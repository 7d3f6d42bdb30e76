package store

import (
	"context"

	"starling"
)

// A Place says where the documents are now that were put into a micro-cluster.
type Place struct {
	// Micro is the micro-cluster and Whole the one that it is part of now, or itself.
	Micro, Whole starling.MicroID
	Cluster      starling.ClusterID
}

// Places returns the places of all micro-clusters that have documents, in no order.
// With what [Store.Updates] says after that, it is enough to follow documents.
func (s *Store) Places(ctx context.Context) ([]Place, error) {
	micros, _, err := s.micros(ctx)
	if err != nil {
		return nil, err
	}
	places := make([]Place, 0, len(micros))
	for id, m := range micros {
		places = append(places, Place{Micro: id, Whole: starling.MicroID(m.whole), Cluster: starling.ClusterID(m.cluster)})
	}
	return places, nil
}
