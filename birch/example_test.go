package birch_test

import (
	"fmt"

	"starling/birch"
)

func ExampleTree_Insert() {
	tree, err := birch.New(birch.Config{Dim: 2, Threshold: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range [][]float32{{0, 0}, {1, 0}, {9, 9}} {
		in, err := tree.Insert(x)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("entry", in.Entry, "new:", in.Created)
	}
	for e := range tree.Entries() {
		fmt.Println(e.ID, e.N, e.Mean, e.S)
	}
	// Output:
	// entry 1 new: true
	// entry 1 new: false
	// entry 2 new: true
	// 1 2 [0.5 0] 0.5
	// 2 1 [9 9] 0
}

func ExampleTree_Nearest() {
	tree, err := birch.New(birch.Config{Dim: 2, Criterion: birch.Cosine, Threshold: 0.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range [][]float32{{1, 0}, {0, 1}, {3, 4}} {
		if _, err := tree.Insert(x); err != nil {
			fmt.Println(err)
			return
		}
	}
	near, err := tree.Nearest([]float32{0, 2}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range near {
		fmt.Printf("entry %d: cosine %.2f, distance %.2f\n", n.ID, n.Similarity, n.Distance)
	}
	// Output:
	// entry 2: cosine 1.00, distance 1.00
	// entry 3: cosine 0.80, distance 3.61
}

func ExampleDecode() {
	tree, err := birch.New(birch.Config{Dim: 2, Threshold: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := tree.Insert([]float32{3, 4}); err != nil {
		fmt.Println(err)
		return
	}
	b, err := tree.AppendBinary(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := birch.Decode(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Len(), again.Threshold())

	b[20] ^= 1
	_, err = birch.Decode(b)
	fmt.Println(err != nil)
	// Output:
	// 1 0.5
	// true
}

func ExampleTree_Absorb() {
	var shards [2]*birch.Tree
	for i, xs := range [][][]float32{{{0, 0}, {9, 9}}, {{5, 5}, {9, 8.5}}} {
		tree, err := birch.New(birch.Config{Dim: 2, Threshold: 0.5})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, x := range xs {
			if _, err := tree.Insert(x); err != nil {
				fmt.Println(err)
				return
			}
		}
		shards[i] = tree
	}
	a, err := shards[0].Absorb(shards[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range a.Origins {
		fmt.Println("their entry", o.Theirs, "is in", o.Ours)
	}
	for e := range shards[0].Entries() {
		fmt.Println(e.ID, e.N, e.Mean)
	}
	// Output:
	// their entry 1 is in 3
	// their entry 2 is in 2
	// 1 1 [0 0]
	// 2 2 [9 8.75]
	// 3 1 [5 5]
}

func ExampleTree_Decay() {
	tree, err := birch.New(birch.Config{Dim: 1, Threshold: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for day, xs := range [][][]float32{{{0}, {5}}, {{5}}, {{5}}} {
		for _, x := range xs {
			if _, err := tree.Insert(x); err != nil {
				fmt.Println(err)
				return
			}
		}
		if err := tree.Decay(0.5); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("day", day, "expired:", tree.Expire(0.2))
	}
	for e := range tree.Entries() {
		fmt.Println(e.ID, e.N, e.Mean)
	}
	// Output:
	// day 0 expired: []
	// day 1 expired: []
	// day 2 expired: [1]
	// 2 0.875 [5]
}
