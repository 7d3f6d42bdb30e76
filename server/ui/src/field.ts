// What is on the map, on this side: points and landmarks as the shaders want them.
import type { Landmark } from './api'
import { maxLandmarks } from './gl'

const floats = 6
const room = 120_000

export class Field {
  data = new Float32Array(floats * 4096)
  micros = new Float64Array(4096)
  times = new Float64Array(4096)
  seqs = new Float64Array(4096)
  n = 0
  changedFrom = 0
  before = new Float32Array(4 * maxLandmarks)
  after = new Float32Array(4 * maxLandmarks)
  slots = new Map<number, number>()
  used = 0
  landmarks: Landmark[] = []
  movedAt = -10
  landmarksChanged = false
  first = Infinity
  last = -Infinity
  private joined = new Map<number, number>()

  private grow(n: number) {
    if (n * floats <= this.data.length) return
    const size = Math.min(room, Math.max(n, (this.data.length / floats) * 2))
    const bigger = <T extends Float32Array | Float64Array>(old: T, made: T): T => (made.set(old), made)
    this.data = bigger(this.data, new Float32Array(size * floats))
    this.micros = bigger(this.micros, new Float64Array(size))
    this.times = bigger(this.times, new Float64Array(size))
    this.seqs = bigger(this.seqs, new Float64Array(size))
    this.changedFrom = 0
  }

  // Drops every second point of the older half.
  private thin() {
    let kept = 0
    for (let i = 0; i < this.n; i++) {
      if (i < this.n / 2 && i % 2) continue
      this.data.copyWithin(kept * floats, i * floats, (i + 1) * floats)
      this.micros[kept] = this.micros[i]
      this.times[kept] = this.times[i]
      this.seqs[kept] = this.seqs[i]
      kept++
    }
    this.n = kept
    this.changedFrom = 0
  }

  clear() {
    this.n = 0
    this.changedFrom = 0
    this.first = Infinity
    this.last = -Infinity
  }

  add(seq: number, micro: number, time: number, x: number, y: number, similarity: number, arrived: number) {
    if (this.n >= room) this.thin()
    this.grow(this.n + 1)
    const i = this.n++
    this.changedFrom = Math.min(this.changedFrom, i)
    this.micros[i] = micro
    this.times[i] = time
    this.seqs[i] = seq
    if (time) {
      this.first = Math.min(this.first, time)
      this.last = Math.max(this.last, time)
    }
    this.data.set([x, y, this.slotOf(micro), 0, similarity, arrived], i * floats)
  }

  load(bytes: ArrayBuffer) {
    this.clear()
    const view = new DataView(bytes)
    const n = Number(view.getBigUint64(0, true))
    this.grow(Math.min(room, n))
    for (let i = 0; i < n; i++) {
      const at = 8 + 24 * i
      this.add(view.getUint32(at, true), view.getUint32(at + 4, true), view.getFloat64(at + 8, true),
        view.getInt16(at + 16, true) / 32767, view.getInt16(at + 18, true) / 32767, view.getUint16(at + 20, true) / 65535, -100)
    }
    this.age()
  }

  // Ages are shares of the time that all points are from.
  age() {
    const span = Math.max(1, this.last - this.first)
    for (let i = 0; i < this.n; i++) this.data[i * floats + 3] = this.times[i] ? (this.times[i] - this.first) / span : 0
    this.changedFrom = 0
  }

  private slotOf(micro: number): number {
    let now = micro
    for (let i = 0; this.joined.has(now) && i < 50; i++) now = this.joined.get(now)!
    return this.slots.get(now) ?? -1
  }

  join(joins: number[][]) {
    for (const [from, into] of joins) this.joined.set(from, into)
  }

  // Landmarks move from where they are at this moment.
  place(landmarks: Landmark[], now: number) {
    const mixing = this.mixing(now)
    for (let i = 0; i < 4 * this.used; i++) if (i % 4 < 3) this.before[i] += mixing * (this.after[i] - this.before[i])
    const there = new Set(landmarks.map((l) => l.micro))
    const free: number[] = []
    for (const [micro, slot] of this.slots) {
      if (there.has(micro)) continue
      this.slots.delete(micro)
      this.after[4 * slot + 2] = this.before[4 * slot + 2] = 0
      free.push(slot)
    }
    const sizes = new Map<number, number>()
    for (const l of landmarks) sizes.set(l.cluster, (sizes.get(l.cluster) ?? 0) + l.size)
    for (const l of landmarks) {
      let slot = this.slots.get(l.micro)
      if (slot === undefined) {
        slot = free.pop() ?? this.used
        if (slot >= maxLandmarks) continue
        this.used = Math.max(this.used, slot + 1)
        this.slots.set(l.micro, slot)
        this.before.set([l.x, l.y, 0, l.cluster], 4 * slot)
      }
      this.after.set([l.x, l.y, l.radius, l.cluster], 4 * slot)
      this.before[4 * slot + 3] = sizes.get(l.cluster)!
    }
    this.landmarks = landmarks
    this.movedAt = now
    this.landmarksChanged = true
    for (let i = 0; i < this.n; i++) this.data[i * floats + 2] = this.slotOf(this.micros[i])
    this.changedFrom = 0
  }

  mixing(now: number): number {
    const t = Math.min(1, Math.max(0, (now - this.movedAt) / 0.9))
    return 1 - (1 - t) ** 3
  }

  // The landmark whose disc is at a place.
  at(x: number, y: number): Landmark | undefined {
    let best: Landmark | undefined
    let bestDistance = Infinity
    for (const l of this.landmarks) {
      const d = Math.hypot(l.x - x, l.y - y) - l.radius
      if (d < bestDistance) [best, bestDistance] = [l, d]
    }
    return bestDistance < Math.max(1.5, (best?.radius ?? 0) * 0.25) ? best : undefined
  }

  bounds(): [number, number, number, number] {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity]
    for (const l of this.landmarks) {
      x0 = Math.min(x0, l.x - l.radius)
      y0 = Math.min(y0, l.y - l.radius)
      x1 = Math.max(x1, l.x + l.radius)
      y1 = Math.max(y1, l.y + l.radius)
    }
    return x0 > x1 ? [-10, -10, 10, 10] : [x0, y0, x1, y1]
  }
}
