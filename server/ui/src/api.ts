// What the server says: see /api/openapi.json.

export interface Stage { name: string; batches: number; items: number; busy: number; waiting: number; room: number }
export interface Status {
  version: string; source: string; model: string; dim: number; documents: number; clusters: number; micros: number
  threshold: number; rate: number; lag: number; in_flight: number; duplicates: number; dead_letters: number
  memory: number; notice?: string; loading: boolean; map: number; readers: number; stages: Stage[]; started: string
}
export interface Cluster {
  id: number; size: number; name?: string; pinned?: boolean; terms: string[] | null; text: string; texts: string[]
  duplicates?: number; outlier?: boolean; spark: number[]; trend: 'growing' | 'fading' | 'steady'
  x: number; y: number; radius: number; micros: number
}
export interface Landmark { micro: number; cluster: number; size: number; x: number; y: number; radius: number; terms?: string[] }
export interface Happening { seq: number; time?: string; kind: string; from?: number[]; to: number; size: number; name?: string; micros?: number[]; into?: number }
export interface Neighbour { id: number; size: number; name?: string; terms: string[] | null; similarity: number }
export interface Detail extends Cluster { history: number[]; events: Happening[]; neighbours: Neighbour[]; parts: Landmark[] }
export interface Doc { seq: number; id: string; text: string; time?: string; cluster: number; similarity: number; clipped?: boolean }
export interface DocList { documents: Doc[]; next?: number; searched?: number }
export interface Match { id: number; size: number; name?: string; terms: string[] | null; text: string; similarity: number; joins: boolean }
export interface Timeline { start: number; width: number; counts: number[]; events: Happening[]; sampled: boolean }
export interface Frame { seq: number; status: Status; new: number; points: number[][]; texts: Doc[]; events: Happening[]; joins: number[][] }

export class Problem extends Error {
  constructor(public status: number, detail: string) { super(detail) }
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch('/api/' + path, { credentials: 'same-origin', ...init })
  if (!response.ok) {
    const fault = await response.json().catch(() => ({}))
    throw new Problem(response.status, fault.detail ?? response.statusText)
  }
  return response
}

export const get = async <T>(path: string): Promise<T> => (await request(path)).json()
export const post = async <T>(path: string, body: unknown): Promise<T> => {
  const response = await request(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  return response.status === 204 ? (undefined as T) : response.json()
}
export const getBytes = async (path: string): Promise<ArrayBuffer> => (await request(path)).arrayBuffer()
