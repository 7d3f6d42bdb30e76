// Package eval says how good a clustering is, by the labels that people gave
// the same documents.
//
//	scores := eval.Score(truth, found)
//	windows := eval.Windows(truth, found, 16)
//
// [Score] compares two sequences of labels with the measures of scikit-learn and
// agrees with it.
package eval
