package train

// transpose sets d to the transpose of m.
func (d dense) transpose(m dense) {
	for i := range m.rows() {
		for k, x := range m.row(i) {
			d.values[k*d.width+i] = x
		}
	}
}

// products sets d to a times the transpose of b: value k of row i to the product
// of row i of a and row k of b.
func (d dense) products(a, b dense) {
	eachRow(d.rows(), func(i int) {
		dst, x := d.row(i), a.row(i)
		k := 0
		for ; k+4 <= len(dst); k += 4 {
			products4((*[4]float32)(dst[k:]), x, b.row(k), b.row(k+1), b.row(k+2), b.row(k+3))
		}
		for ; k < len(dst); k++ {
			var one [4]float32
			products4(&one, x, b.row(k), b.row(k), b.row(k), b.row(k))
			dst[k] = one[0]
		}
	})
}

// products4 sets dst to the products of x with four vectors of its length. Each
// is one sum from first to last, whatever the processor.
func products4(dst *[4]float32, x, a, b, c, d []float32) {
	a, b, c, d = a[:len(x)], b[:len(x)], c[:len(x)], d[:len(x)]
	var s0, s1, s2, s3 float32
	for k, v := range x {
		s0 += float32(v * a[k])
		s1 += float32(v * b[k])
		s2 += float32(v * c[k])
		s3 += float32(v * d[k])
	}
	*dst = [4]float32{s0, s1, s2, s3}
}
