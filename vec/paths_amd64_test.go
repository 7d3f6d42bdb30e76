//go:build !purego

package vec

func init() {
	if hasAVX2 {
		paths = append(paths, path{"AVX2", dotAVX2, dotRowsAVX2, dotPanelAVX2, addScaledAVX2, moveMeanAVX2})
	}
	if hasAVX512 {
		paths = append(paths, path{"AVX512", dotAVX512, dotRowsAVX512, dotPanelAVX512, addScaledAVX512, moveMeanAVX512})
	}
}
