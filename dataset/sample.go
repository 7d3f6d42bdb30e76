package dataset

import "context"

// SampleTexts returns the first n texts of the shipped sample, which are about some
// thirty different things.
func SampleTexts(ctx context.Context, n int) ([]string, error) {
	sample, err := Open(ctx, Options{Name: Sample, Limit: n})
	if err != nil {
		return nil, err
	}
	texts := make([]string, 0, n)
	for item, err := range sample.Items() {
		if err != nil {
			return nil, err
		}
		texts = append(texts, item.Text)
	}
	return texts, nil
}
