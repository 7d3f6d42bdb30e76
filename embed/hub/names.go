package hub

import (
	"maps"
	"slices"
)

// shortNames are the names by which well-known models are called, and whose
// they are.
var shortNames = map[string]string{
	"all-MiniLM-L6-v2":           "sentence-transformers/all-MiniLM-L6-v2",
	"all-MiniLM-L12-v2":          "sentence-transformers/all-MiniLM-L12-v2",
	"multi-qa-MiniLM-L6-cos-v1":  "sentence-transformers/multi-qa-MiniLM-L6-cos-v1",
	"multi-qa-distilbert-cos-v1": "sentence-transformers/multi-qa-distilbert-cos-v1",
	"paraphrase-MiniLM-L3-v2":    "sentence-transformers/paraphrase-MiniLM-L3-v2",
	"paraphrase-MiniLM-L6-v2":    "sentence-transformers/paraphrase-MiniLM-L6-v2",
	"stsb-distilbert-base":       "sentence-transformers/stsb-distilbert-base",
	"bge-small-en-v1.5":          "BAAI/bge-small-en-v1.5",
	"bge-base-en-v1.5":           "BAAI/bge-base-en-v1.5",
	"gte-small":                  "thenlper/gte-small",
	"gte-base":                   "thenlper/gte-base",
	"e5-small-v2":                "intfloat/e5-small-v2",
	"e5-base-v2":                 "intfloat/e5-base-v2",
}

// ShortNames returns the short names that [Repository] knows, in order.
func ShortNames() []string { return slices.Sorted(maps.Keys(shortNames)) }
