import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Timeline as Data } from './api'

interface Props { data?: Data; history?: number[]; dark: boolean; brush: (span?: [number, number]) => void }

// The rate over time, what happened to clusters, and a brush: the milliseconds that it
// spans, or nothing.
export function Timeline({ data, history, dark, brush }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const events = useRef<Data['events']>([])
  events.current = data?.events ?? []

  useEffect(() => {
    const el = box.current!
    const ink = dark ? '#9aa1c4' : '#5a607e'
    const grid = { stroke: dark ? '#262b47' : '#e4e2da', width: 1 }
    const marks = (u: uPlot) => {
      const g = u.ctx
      for (const e of events.current) {
        if (!e.time || !(e.kind === 'merged' || e.kind === 'split')) continue
        const x = u.valToPos(Date.parse(e.time) / 1000, 'x', true)
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue
        g.fillStyle = e.kind === 'merged' ? (dark ? '#b99cff' : '#6b48c8') : (dark ? '#ffb86b' : '#b45309')
        g.globalAlpha = 0.7
        g.fillRect(x - 1, u.bbox.top, 2, 7 * devicePixelRatio)
        g.globalAlpha = 1
      }
    }
    const u = new uPlot({
      width: el.clientWidth || 400, height: 96, legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, y: false },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      axes: [{ stroke: ink, grid, size: 26, font: '11px system-ui' }, { stroke: ink, grid, size: 56, font: '11px system-ui' }],
      series: [{}, { stroke: dark ? '#8fd3ff' : '#1f6feb', fill: dark ? 'rgba(143,211,255,.16)' : 'rgba(31,111,235,.12)', width: 1.5, points: { show: false } },
        { stroke: dark ? '#ffb86b' : '#b45309', width: 2, points: { show: false } }],
      hooks: {
        draw: [marks],
        setSelect: [(u) => brush(u.select.width > 3 ? [u.posToVal(u.select.left, 'x') * 1000, u.posToVal(u.select.left + u.select.width, 'x') * 1000] : undefined)],
      },
    }, [[], [], []], el)
    plot.current = u
    const resize = new ResizeObserver(() => u.setSize({ width: el.clientWidth, height: 96 }))
    resize.observe(el)
    return () => { resize.disconnect(); u.destroy(); plot.current = undefined }
  }, [dark])

  useEffect(() => {
    if (!data || !plot.current) return
    const seconds = data.width / 1000
    const xs = data.counts.map((_, i) => (data.start + (i + 0.5) * data.width) / 1000)
    plot.current.setData([xs, data.counts.map((n) => n / seconds), history ? xs.map((_, i) => (history[i] ?? 0) / seconds) : xs.map(() => null)] as uPlot.AlignedData)
  }, [data, history, dark])

  return <div class="plot" ref={box} role="img" aria-label={`Documents a second over time${data?.sampled ? ', estimated from a sample for what was before' : ''}`} />
}
