package pipeline

import "fmt"

// noticeEvery is how many documents lie between two looks at the clusters as a
// whole.
const noticeEvery = 1000

// A watch knows what was said of the clusters as a whole.
type watch struct {
	calibrated bool
	warning    string
	next       int64 // number of documents at which to look again
}

// notice says what is new about the clusters as a whole: the threshold that was
// found, and what looks wrong. The caller holds the clustering lock.
func (p *Pipeline) notice() {
	if p.OnNotice == nil {
		return
	}
	if unrelated, found := p.State.Calibration(); found && !p.watch.calibrated {
		p.watch.calibrated = true
		p.OnNotice(fmt.Sprintf("threshold %.3f: unrelated texts of this stream have cosine %.3f, give or take %.3f",
			p.State.Threshold(), unrelated.Mean, unrelated.Deviation))
	}
	if p.State.Documents() < p.watch.next {
		return
	}
	p.watch.next = p.State.Documents() + noticeEvery
	if warning := p.State.Warning(); warning != p.watch.warning {
		p.watch.warning = warning
		if warning != "" {
			p.OnNotice(warning)
		}
	}
}

// newWatch returns a watch that has said what is known of a state already.
func (p *Pipeline) newWatch() watch {
	_, found := p.State.Calibration()
	return watch{calibrated: found}
}
