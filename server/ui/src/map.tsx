import { useEffect, useRef, useState } from 'preact/hooks'
import type { Cluster } from './api'
import { Drawing } from './gl'
import type { Live } from './live'
import { clip, colour, count, title } from './text'

export type Mode = 'cluster' | 'age' | 'similarity'

interface Props {
  live: Live; chosen: number; dark: boolean; mode: Mode; span?: [number, number]
  choose: (id: number) => void
}

interface View { scale: number; x: number; y: number }

export function Map({ live, chosen, dark, mode, span, choose }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const labels = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const [broken, setBroken] = useState('')
  const [hover, setHover] = useState<{ x: number; y: number; id: number; terms?: string[] }>()
  const state = useRef({ chosen, dark, mode, span, view: { scale: 1, x: 0, y: 0 } as View, own: false, dirty: true, hover: 0 })
  Object.assign(state.current, { chosen, dark, mode, span, dirty: true })

  useEffect(() => {
    let drawing: Drawing
    try {
      drawing = new Drawing(canvas.current!)
    } catch (e) {
      setBroken((e as Error).message)
      return
    }
    let frame = 0
    const s = state.current
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    const paint = () => {
      frame = requestAnimationFrame(paint)
      const field = live.field
      const el = box.current!
      const [w, h] = [el.clientWidth, el.clientHeight]
      const density = Math.min(2, devicePixelRatio)
      const now = performance.now() / 1000
      const resized = canvas.current!.width !== Math.round(w * density) || canvas.current!.height !== Math.round(h * density)
      const moving = now - field.movedAt < 1 || now - s_lastArrival(field) < 4
      if (!moving && !s.dirty && !resized && field.changedFrom >= field.n && !field.landmarksChanged) return
      s.dirty = false
      if (resized) for (const c of [canvas.current!, labels.current!]) [c.width, c.height] = [Math.round(w * density), Math.round(h * density)]
      if (field.landmarksChanged) {
        drawing.landmarks(field.before, field.after)
        field.landmarksChanged = false
      }
      if (field.changedFrom < field.n) {
        drawing.upload(field.data, field.changedFrom, field.n)
        field.changedFrom = field.n
      }
      if (!s.own && follow(s.view, field.bounds(), w, h, still)) s.dirty = true
      const { scale, x, y } = s.view
      drawing.draw({
        view: [(2 * scale) / w, (2 * scale) / h, (-2 * scale * x) / w, (-2 * scale * y) / h],
        now, size: density * Math.min(9, Math.max(1.8, scale * 0.95)), mixing: still ? 1 : field.mixing(now),
        mode: mode_number(s.mode), chosen: s.chosen, span: s.span ?? [-1, 2], dark: s.dark, slots: field.used, points: field.n,
      })
      paintLabels(labels.current!, live, s, w, h, density, still ? 1 : field.mixing(now))
    }
    frame = requestAnimationFrame(paint)
    return () => cancelAnimationFrame(frame)
  }, [])

  const at = (e: { clientX: number; clientY: number }) => {
    const r = box.current!.getBoundingClientRect()
    const v = state.current.view
    return { px: e.clientX - r.left, py: e.clientY - r.top, x: v.x + (e.clientX - r.left - r.width / 2) / v.scale, y: v.y - (e.clientY - r.top - r.height / 2) / v.scale }
  }
  const zoom = (factor: number, px?: number, py?: number) => {
    const s = state.current
    const el = box.current!
    const dx = (px ?? el.clientWidth / 2) - el.clientWidth / 2
    const dy = (py ?? el.clientHeight / 2) - el.clientHeight / 2
    const scale = Math.min(200, Math.max(0.02, s.view.scale * factor))
    s.view.x += dx / s.view.scale - dx / scale
    s.view.y -= dy / s.view.scale - dy / scale
    s.view.scale = scale
    s.own = s.dirty = true
  }
  const pointers = useRef(new globalThis.Map<number, { x: number; y: number }>())
  const moved = useRef(0)
  const down = (e: PointerEvent) => {
    pointers.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
    moved.current = 0
    box.current!.setPointerCapture(e.pointerId)
  }
  const move = (e: PointerEvent) => {
    const s = state.current
    const was = pointers.current.get(e.pointerId)
    if (!was) {
      const p = at(e)
      const l = live.field.at(p.x, p.y)
      s.hover = l?.cluster ?? 0
      setHover(l && { x: p.px, y: p.py, id: l.cluster, terms: l.terms })
      return
    }
    const others = [...pointers.current.entries()].filter(([id]) => id !== e.pointerId)
    if (others.length) {
      const o = others[0][1]
      zoom(Math.hypot(e.clientX - o.x, e.clientY - o.y) / Math.max(1, Math.hypot(was.x - o.x, was.y - o.y)))
    } else {
      s.view.x -= (e.clientX - was.x) / s.view.scale
      s.view.y += (e.clientY - was.y) / s.view.scale
      moved.current += Math.abs(e.clientX - was.x) + Math.abs(e.clientY - was.y)
      if (moved.current > 4) s.own = true
      s.dirty = true
    }
    pointers.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
  }
  const up = (e: PointerEvent) => {
    if (pointers.current.delete(e.pointerId) && moved.current < 5) {
      const p = at(e)
      choose(live.field.at(p.x, p.y)?.cluster ?? 0)
    }
  }
  const key = (e: KeyboardEvent) => {
    const s = state.current
    const step = 60 / s.view.scale
    const ways: Record<string, [number, number]> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }
    if (ways[e.key]) {
      s.view.x += ways[e.key][0]
      s.view.y += ways[e.key][1]
      s.own = s.dirty = true
    } else if (e.key === '+' || e.key === '=') zoom(1.3)
    else if (e.key === '-') zoom(1 / 1.3)
    else if (e.key === '0') Object.assign(s, { own: false, dirty: true })
    else return
    e.preventDefault()
  }
  const hovered = hover && live.lists.clusters.find((c) => c.id === hover.id)

  if (broken) return <div class="map notice">{broken} The list and the search work without the map.</div>
  return (
    <div class="map" ref={box} tabIndex={0} role="application" aria-label="Map of the clusters. Arrow keys move it, plus and minus zoom, 0 shows all. The list holds the same clusters."
      onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up} onPointerLeave={() => setHover(undefined)}
      onKeyDown={key} onWheel={(e) => { e.preventDefault(); const p = at(e); zoom(Math.exp(-e.deltaY * 0.0015), p.px, p.py) }}
      data-points={live.field.n} data-landmarks={live.field.landmarks.length}>
      <canvas ref={canvas} aria-hidden="true" />
      <canvas ref={labels} aria-hidden="true" />
      {hover && hovered && (
        <div class="tip" style={{ left: Math.min(hover.x + 14, (box.current?.clientWidth ?? 0) - 270), top: hover.y + 14 }}>
          <b><i style={{ background: colour(hover.id, dark) }} />{title(hovered)}</b>
          <span>{count(hovered.size)} documents{hover.terms?.length ? ' · here: ' + clip(hover.terms.slice(0, 3).join(', '), 60) : ''}</span>
          <q dir="auto">{clip(hovered.text, 140)}</q>
        </div>
      )}
      <div class="zoom" onPointerDown={(e) => e.stopPropagation()}>
        <button aria-label="Zoom in" onClick={() => zoom(1.5)}>+</button>
        <button aria-label="Zoom out" onClick={() => zoom(1 / 1.5)}>−</button>
        <button aria-label="Show all" onClick={() => Object.assign(state.current, { own: false, dirty: true })}>⤢</button>
      </div>
    </div>
  )
}

const mode_number = (m: Mode) => ({ cluster: 0, age: 1, similarity: 2 })[m]
const s_lastArrival = (f: { data: Float32Array; n: number }) => (f.n ? f.data[(f.n - 1) * 6 + 5] : -100)

// Shows all, gliding there, and says whether there is still some way to go.
function follow(view: View, [x0, y0, x1, y1]: [number, number, number, number], w: number, h: number, quick: boolean): boolean {
  const scale = Math.min(40, Math.min(w / (x1 - x0 + 4), h / (y1 - y0 + 4)) * 0.94)
  const way = quick || view.scale === 1 ? 1 : 0.06
  view.scale *= (scale / view.scale) ** way
  view.x += ((x0 + x1) / 2 - view.x) * way
  view.y += ((y0 + y1) / 2 - view.y) * way
  return Math.abs(scale / view.scale - 1) > 0.002 || Math.hypot((x0 + x1) / 2 - view.x, (y0 + y1) / 2 - view.y) * view.scale > 0.5
}

interface Look { view: View; chosen: number; hover: number; dark: boolean }

// Names, the largest clusters first, where there is room; further in, also what sets the
// parts of clusters apart.
function paintLabels(canvas: HTMLCanvasElement, live: Live, s: Look, w: number, h: number, density: number, mixing: number) {
  const g = canvas.getContext('2d')!
  g.setTransform(density, 0, 0, density, 0, 0)
  g.clearRect(0, 0, w, h)
  g.textAlign = 'center'
  g.textBaseline = 'middle'
  g.lineJoin = 'round'
  const taken: [number, number, number, number][] = []
  const place = (text: string, x: number, y: number, size: number, strong: boolean, fill: string) => {
    const px = (x - s.view.x) * s.view.scale + w / 2
    const py = h / 2 - (y - s.view.y) * s.view.scale
    if (px < -80 || py < -20 || px > w + 80 || py > h + 20) return
    g.font = `${strong ? 650 : 450} ${size}px system-ui, sans-serif`
    const half = g.measureText(text).width / 2 + 5
    const rect: [number, number, number, number] = [px - half, py - size * 0.75, px + half, py + size * 0.75]
    if (taken.some((t) => rect[0] < t[2] && rect[2] > t[0] && rect[1] < t[3] && rect[3] > t[1])) return
    taken.push(rect)
    g.lineWidth = 3.5
    g.strokeStyle = s.dark ? 'rgba(12,14,28,.88)' : 'rgba(252,251,248,.92)'
    g.strokeText(text, px, py)
    g.fillStyle = fill
    g.fillText(text, px, py)
  }
  const ink = s.dark ? '#f1f2fb' : '#1c1f33'
  const middle = (c: Cluster) => [c.x, c.y]
  const list = [...live.lists.clusters].sort((a, b) => Number(b.id === s.chosen) - Number(a.id === s.chosen) || Number(b.id === s.hover) - Number(a.id === s.hover) || b.size - a.size)
  for (const c of list) {
    const r = c.radius * s.view.scale
    const special = c.id === s.chosen || c.id === s.hover
    if ((r < 13 || c.size < 4) && !special) continue
    const [x, y] = middle(c)
    place(title(c, r > 60 ? 3 : 2), x, y, Math.min(19, Math.max(11, 8.5 + r / 9)), r > 26 || special, ink)
  }
  if (mixing < 0.5) return
  for (const l of live.field.landmarks) {
    const r = l.radius * s.view.scale
    if (r < 38 || !l.terms?.length) continue
    place(clip(l.terms.slice(0, 2).join(', '), 32), l.x, l.y - l.radius * 0.55, 11, false, s.dark ? '#b9bfdc' : '#565b78')
  }
}
