import { useMemo, useState } from 'preact/hooks'
import type { Cluster } from './api'
import type { Lists } from './live'
import { clip, colour, count, title } from './text'

const orders = {
  size: (a: Cluster, b: Cluster) => b.size - a.size,
  recent: (a: Cluster, b: Cluster) => lately(b) - lately(a),
  growing: (a: Cluster, b: Cluster) => lately(b) / (b.size + 5) - lately(a) / (a.size + 5),
  name: (a: Cluster, b: Cluster) => title(a).localeCompare(title(b)),
}
const lately = (c: Cluster) => c.spark.slice(-8).reduce((a, b) => a + b, 0)

export function Spark({ values, stroke }: { values: number[]; stroke: string }) {
  const most = Math.max(1, ...values)
  const path = values.map((v, i) => `${((i / (values.length - 1)) * 64).toFixed(1)},${(17 - (v / most) * 15).toFixed(1)}`).join(' ')
  return <svg class="spark" viewBox="0 0 64 18" preserveAspectRatio="none" aria-hidden="true"><polygon points={`0,18 ${path} 64,18`} fill={stroke} opacity=".18" /><polyline points={path} fill="none" stroke={stroke} stroke-width="1.4" vector-effect="non-scaling-stroke" /></svg>
}

interface Props { lists: Lists; dark: boolean; loaded: boolean; span?: [number, number]; choose: (id: number) => void }

export function List({ lists, dark, loaded, span, choose }: Props) {
  const [query, setQuery] = useState('')
  const [order, setOrder] = useState<keyof typeof orders>('size')
  const found = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const inside = within(lists, span)
    return lists.clusters
      .filter((c) => words.every((w) => `${c.id} ${c.name ?? ''} ${(c.terms ?? []).join(' ')} ${c.texts.join(' ')}`.toLowerCase().includes(w)))
      .filter((c) => !inside || inside(c)).sort(orders[order])
  }, [lists, query, order, span])
  return (
    <>
      <div class="filter">
        <input type="search" placeholder="Filter clusters" aria-label="Filter clusters" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />
        <select aria-label="Sort by" value={order} onChange={(e) => setOrder(e.currentTarget.value as keyof typeof orders)}>
          {Object.keys(orders).map((o) => <option value={o}>{o}</option>)}
        </select>
      </div>
      <ul class="clusters">
        {found.map((c) => (
          <li key={c.id}>
            <button class="row" data-cluster={c.id} onClick={() => choose(c.id)}>
              <i style={{ background: colour(c.id, dark) }} />
              <span class="name">{title(c)}{c.pinned && <em aria-label="pinned"> ⚲</em>}</span>
              <Spark values={c.spark} stroke={colour(c.id, dark)} />
              <b>{count(c.size)}</b>
              <span class="text" dir="auto">{clip(c.text, 110)}</span>
              <span class={'trend ' + c.trend}>{{ growing: '↗ growing', fading: '↘ fading', steady: '' }[c.trend]}</span>
            </button>
          </li>
        ))}
      </ul>
      {!found.length && <p class="empty">{!loaded ? 'Loading…' : lists.total ? 'No cluster matches.' : 'No clusters yet.'}</p>}
      {lists.total > lists.clusters.length && <p class="empty">The largest {count(lists.clusters.length)} of {count(lists.total)} clusters.</p>}
    </>
  )
}

// Which clusters had documents in the time that was brushed, as the sparklines tell.
function within(lists: Lists, span?: [number, number]) {
  const t = lists.timeline
  if (!span || !t || !t.counts.length) return
  const whole = t.counts.length * t.width
  const [a, b] = span.map((x) => ((x - t.start) / whole) * 32)
  return (c: Cluster) => c.spark.some((n, i) => n > 0 && i + 1 > a && i < b)
}
