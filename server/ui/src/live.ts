// The connection to the server: what comes in, and whether it does.
import { get, getBytes, Problem, type Cluster, type Frame, type Happening, type Landmark, type Status, type Timeline } from './api'
import { Field } from './field'

export type Link = 'connecting' | 'live' | 'lost' | 'token' | 'failed'
export interface Lists { clusters: Cluster[]; total: number; timeline?: Timeline; events: Happening[] }

export class Live {
  field = new Field()
  link: Link = 'connecting'
  why = ''
  status?: Status
  lists: Lists = { clusters: [], total: 0, events: [] }
  texts: Frame['texts'] = []
  paused = false
  loaded = false
  private source?: EventSource
  private shown = -1
  private refreshing = false
  private again = 0
  private held = 0
  private missed = false
  private readAt = 0

  constructor(private changed: () => void) {}

  async start() {
    this.source?.close()
    clearTimeout(this.again)
    try {
      this.status = await get<Status>('status')
      this.field.load(await getBytes('map/points'))
      await this.refresh()
      this.loaded = true
      this.listen()
    } catch (e) {
      this.fail(e)
    }
    this.changed()
  }

  private fail(e: unknown) {
    const status = e instanceof Problem ? e.status : 0
    this.link = status === 401 ? 'token' : status === 0 || status === 503 ? 'lost' : 'failed'
    this.why = e instanceof Error ? e.message : String(e)
    if (status !== 401) this.again = window.setTimeout(() => this.start(), 1500)
  }

  private listen() {
    this.source = new EventSource('/api/events')
    this.source.addEventListener('frame', (e) => this.take(JSON.parse((e as MessageEvent).data)))
    this.source.onopen = () => {
      this.link = 'live'
      this.changed()
    }
    this.source.onerror = () => {
      // What came meanwhile is read anew, which is right whatever happened.
      this.source?.close()
      this.link = 'lost'
      this.changed()
      this.again = window.setTimeout(() => this.start(), 1000)
    }
  }

  private take(f: Frame) {
    this.status = f.status
    if (this.paused) {
      this.held += f.new
      this.changed()
      return
    }
    const now = performance.now() / 1000
    this.field.join(f.joins)
    for (const [seq, micro, time, x, y, similarity] of f.points) this.field.add(seq, micro, time, x, y, similarity, now)
    if (f.points.length) this.field.age()
    this.missed ||= f.new > f.points.length
    if (f.texts.length) this.texts = [...f.texts].reverse().concat(this.texts).slice(0, 30)
    if (f.status.map !== this.shown) this.refresh().catch(() => undefined)
    this.changed()
  }

  async refresh() {
    if (this.refreshing) return
    this.refreshing = true
    try {
      const [list, map, timeline] = await Promise.all([
        get<{ clusters: Cluster[]; total: number }>('clusters?limit=300'),
        get<{ version: number; landmarks: Landmark[] }>('map'),
        get<Timeline>('timeline'),
      ])
      await this.catchUp()
      this.shown = map.version
      this.field.place(map.landmarks, performance.now() / 1000)
      this.lists = { clusters: list.clusters, total: list.total, timeline, events: timeline.events }
    } finally {
      this.refreshing = false
    }
    this.changed()
  }

  // A frame has a few of the points only. Where some were left out all are read anew, of
  // a large map not often.
  private async catchUp() {
    if (!this.missed || (this.field.n > 20_000 && performance.now() - this.readAt < 15_000)) return
    this.missed = false
    this.readAt = performance.now()
    this.field.load(await getBytes('map/points'))
  }

  pause(paused: boolean) {
    this.paused = paused
    if (!paused && this.held) {
      this.held = 0
      this.start()
    }
    this.changed()
  }

  get waiting() { return this.held }
}
