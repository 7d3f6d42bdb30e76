// Package eval says how good a clustering is, by the labels that people gave the
// same documents.
//
//	scores := eval.Score(truth, found)
//	windows := eval.Windows(truth, found, 16)
//
// The measures agree with scikit-learn's. A [Replay] clusters a labelled stream in
// one pass, with the state machine that a running stream has, and scores the
// clusters that documents had on arrival and those that they have at the end:
//
//	replay := eval.NewReplay(state)
//	err := replay.Add(documents, labels, vectors)
//	result := replay.Result(took)
//
// It follows the events that the state reports, and counts every document that
// changed its cluster without one: the churn, which must be 0. A [Report] writes
// the result as JSON or as a page.
package eval
