package beam

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"reflect"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"

	"starling"
	"starling/cluster"
)

// A Placed is a document that a shard has put into a micro-cluster.
type Placed struct {
	starling.Document
	// Seq numbers the documents of the shard.
	Seq        int64
	Micro      starling.MicroID
	Similarity float32
}

// A Piece is what the table of a shard's clusters is told: documents, by the shard,
// or where micro-clusters are, by the merger.
type Piece struct {
	Placed []Placed
	// Number is that of the merge that moved.
	Number int64
	Moved  []cluster.Moved
}

// A ShardUpdate is what became of one document of a shard. The events of its clusters
// are in [Changes].
type ShardUpdate struct {
	Shard int64 `json:"shard"`
	// Merge is the number of the merge that put the document's micro-cluster where it
	// was then. The events of later merges say where it went.
	Merge int64 `json:"merge"`
	starling.Update
}

// Changes are the events of one merge.
type Changes struct {
	Merge  int64            `json:"merge"`
	Events []starling.Event `json:"events"`
}

func init() {
	sdk.RegisterCoder(reflect.TypeFor[Piece](), encodePiece, decodePiece)
	sdk.RegisterCoder(reflect.TypeFor[cluster.Report](), encodeReport, decodeReport)
	sdk.RegisterCoder(reflect.TypeFor[ShardUpdate](), encodeShardUpdate, decodeShardUpdate)
	sdk.RegisterCoder(reflect.TypeFor[Changes](), encodeChanges, decodeChanges)
}

func encodePiece(p Piece) []byte {
	b := binary.AppendUvarint(nil, uint64(len(p.Placed)))
	for _, d := range p.Placed {
		b = appendPlaced(b, d)
	}
	b = binary.AppendUvarint(b, uint64(p.Number))
	b = binary.AppendUvarint(b, uint64(len(p.Moved)))
	for _, m := range p.Moved {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(m.Micro)), uint64(m.Cluster))
	}
	return b
}

func decodePiece(data []byte) (Piece, error) {
	r := reader{rest: data}
	var p Piece
	for range r.length() {
		p.Placed = append(p.Placed, r.placed())
	}
	p.Number = int64(r.uvarint())
	for range r.length() {
		p.Moved = append(p.Moved, cluster.Moved{Micro: starling.MicroID(r.uvarint()), Cluster: starling.ClusterID(r.uvarint())})
	}
	return p, r.end("piece")
}

func appendPlaced(b []byte, d Placed) []byte {
	b = binary.AppendUvarint(appendDocument(b, d.Document), uint64(d.Seq))
	b = binary.AppendUvarint(b, uint64(d.Micro))
	return binary.AppendUvarint(b, uint64(math.Float32bits(d.Similarity)))
}

func (r *reader) placed() Placed {
	return Placed{
		Document: r.document(), Seq: int64(r.uvarint()), Micro: starling.MicroID(r.uvarint()),
		Similarity: math.Float32frombits(uint32(r.uvarint())),
	}
}

func encodeReport(report cluster.Report) []byte {
	b := binary.AppendUvarint(nil, uint64(len(report.Features)))
	for _, f := range report.Features {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(f.Micro)), uint64(f.N))
		b = appendVector(b, f.Mean)
	}
	b = binary.AppendUvarint(b, uint64(len(report.Joined)))
	for _, j := range report.Joined {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(j.From)), uint64(j.Into))
	}
	b = binary.AppendUvarint(b, uint64(len(report.Sample)))
	for _, vector := range report.Sample {
		b = appendVector(b, vector)
	}
	return b
}

func decodeReport(data []byte) (cluster.Report, error) {
	r := reader{rest: data}
	var report cluster.Report
	for range r.length() {
		report.Features = append(report.Features, cluster.Feature{
			Micro: starling.MicroID(r.uvarint()), N: int64(r.uvarint()), Mean: r.vector(),
		})
	}
	for range r.length() {
		report.Joined = append(report.Joined, cluster.Joining{From: starling.MicroID(r.uvarint()), Into: starling.MicroID(r.uvarint())})
	}
	for range r.length() {
		report.Sample = append(report.Sample, r.vector())
	}
	return report, r.end("report")
}

func encodeShardUpdate(u ShardUpdate) ([]byte, error) { return json.Marshal(u) }

func decodeShardUpdate(data []byte) (u ShardUpdate, err error) {
	err = json.Unmarshal(data, &u)
	return u, err
}

func encodeChanges(c Changes) ([]byte, error) { return json.Marshal(c) }

func decodeChanges(data []byte) (c Changes, err error) {
	err = json.Unmarshal(data, &c)
	return c, err
}
