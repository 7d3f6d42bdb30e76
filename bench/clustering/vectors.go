package main

import (
	"bufio"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
)

// synthetic makes unit vectors about 50 topics of mean cosine 0.6, a tenth of them
// about something of their own.
func synthetic(n, dim int) [][]float32 {
	random := rand.New(rand.NewPCG(42, 42))
	topics := make([][]float64, 50)
	for i := range topics {
		topics[i] = direction(random, dim)
	}
	vectors := make([][]float32, n)
	for i := range vectors {
		topic := topics[random.IntN(len(topics))]
		if random.IntN(10) == 0 {
			topic = direction(random, dim)
		}
		noise := direction(random, dim)
		vectors[i] = make([]float32, dim)
		for j := range vectors[i] {
			vectors[i][j] = float32(math.Sqrt(0.6)*topic[j] + math.Sqrt(0.4)*noise[j])
		}
		normalise(vectors[i])
	}
	return vectors
}

func direction(random *rand.Rand, dim int) []float64 {
	v := make([]float64, dim)
	var square float64
	for i := range v {
		v[i] = random.NormFloat64()
		square += v[i] * v[i]
	}
	for i := range v {
		v[i] /= math.Sqrt(square)
	}
	return v
}

func normalise(v []float32) {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(square))
	}
}

func writeVectors(path string, vectors [][]float32) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	for _, v := range vectors {
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}
