package rounds

import "testing"

func TestTheBestSettingIsCompared(t *testing.T) {
	table := NewTable()
	for _, figure := range []float64{10, 30, 20} {
		table.Add("a", "slow", figure/10)
		table.Add("a", "fast", figure)
		table.Add("b", "only", 5)
	}
	setting, s := table.Best("a")
	if setting != "fast" || s.Median() != 20 || s.Min() != 10 || s.Max() != 30 {
		t.Errorf("best setting %q with %v", setting, s)
	}
	ratio, ok := table.Ratio("a", "b")
	if !ok || ratio.Median() != 4 || ratio.Min() != 2 || ratio.Max() != 6 {
		t.Errorf("ratio %v, %v", ratio, ok)
	}
	if _, ok := table.Ratio("a", "c"); ok {
		t.Error("a ratio over what was not measured")
	}
}

func TestMedianOfAnEvenNumber(t *testing.T) {
	if m := (Series{4, 1, 3, 2}).Median(); m != 2.5 {
		t.Errorf("median %v, want 2.5", m)
	}
}
