// Package birch keeps a stream of vectors as a bounded number of cluster
// features in a CF-tree, one vector at a time: BIRCH (Zhang, Ramakrishnan and
// Livny 1996) with the cluster features of BETULA (Lang and Schubert 2020), which
// do not cancel.
//
//	tree, err := birch.New(birch.Config{Dim: 512, Threshold: 0.7})
//	in, err := tree.Insert(x)        // in.Entry names the leaf entry that took x in
//	near, err := tree.Nearest(x, 5)  // the five closest leaf entries
//
// A leaf entry sums up the vectors it took in as (n, mean, S): their number,
// their mean and the sum of their squared distances from it. Its [ID] is
// permanent. When there would be more leaf entries than Config.MaxEntries, the
// threshold rises and the entries are inserted into a new tree, where some join;
// [Insertion.Merges] says which.
//
// Features can be added, subtracted and scaled, so a tree also gives a vector back
// ([Tree.Remove]), takes in another tree ([Tree.Absorb]), and lets the past count for
// less until it is gone ([Tree.Decay], [Tree.Expire]). [Tree.AppendBinary] and
// [Decode] keep it.
//
// A Tree is a plain data structure: no clock, no randomness, no goroutines, no
// input or output. The same vectors in the same order give the same tree on every
// CPU. Distances are first taken in float32 with a bound on their error; whatever
// the bound leaves open is decided in float64 in a fixed order (see package vec), and all
// means are updated in float64.
//
// With Criterion Radius, Distance D0 and ScanLimit 0 a tree makes the same sub-clusters as
// scikit-learn's Birch(n_clusters=None) fed one vector at a time.
package birch
