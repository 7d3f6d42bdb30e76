import { useEffect, useState } from 'preact/hooks'
import { get, type Cluster, type Detail, type Doc, type DocList, type Happening } from './api'
import { Spark } from './list'
import { clip, colour, count, safe, title } from './text'

interface Props {
  id: number; detail?: Detail; missing: string; dark: boolean; others: Cluster[]
  choose: (id: number) => void; edit: (e: unknown) => Promise<void>
}

export function ClusterDetail({ id, detail, missing, dark, others, choose, edit }: Props) {
  const [fault, setFault] = useState('')
  const [docs, setDocs] = useState<DocList>()
  useEffect(() => { setDocs(undefined); setFault('') }, [id])
  const make = (e: unknown) => edit(e).then(() => setFault(''), (x) => setFault(x.message))
  const load = async () => {
    const list = await get<DocList>(`clusters/${id}/documents?limit=50` + (docs?.next ? '&after=' + docs.next : ''))
    setDocs({ ...list, documents: (docs?.documents ?? []).concat(list.documents) })
  }
  return (
    <div class="detail" aria-live="off">
      <button class="back" onClick={() => choose(0)}>← All clusters</button>
      {!detail && <p class="empty">{missing ? safe(missing) : 'Loading…'}</p>}
      {detail && <>
        <h2><i style={{ background: colour(id, dark) }} />{title(detail)}</h2>
        <p class="facts"><b>{count(detail.size)}</b> documents · cluster {id} · {detail.micros} part{detail.micros === 1 ? '' : 's'}{detail.duplicates ? ` · ${count(detail.duplicates)} near-duplicates` : ''}{detail.trend !== 'steady' && <span class={'trend ' + detail.trend}> · {detail.trend}</span>}</p>
        <Spark values={detail.spark} stroke={colour(id, dark)} />
        <p class="terms">{(detail.terms ?? []).map((t) => <span>{safe(t)}</span>)}</p>
        <ol class="texts">{detail.texts.map((t) => <li><Text text={t} /></li>)}</ol>
        <div class="edits">
          <form onSubmit={(e) => { e.preventDefault(); make({ kind: 'rename', cluster: id, name: (new FormData(e.currentTarget as HTMLFormElement).get('name') as string).trim() }) }}>
            <input name="name" aria-label="Name" placeholder="Name" defaultValue={detail.name ?? ''} maxLength={80} /><button>Rename</button>
          </form>
          <button onClick={() => make({ kind: detail.pinned ? 'unpin' : 'pin', cluster: id })}>{detail.pinned ? 'Unpin' : 'Pin'}</button>
          <form onSubmit={(e) => { e.preventDefault(); const from = Number(new FormData(e.currentTarget as HTMLFormElement).get('from')); if (from && confirm(`Make cluster ${from} part of this one, for good?`)) make({ kind: 'merge', cluster: id, from: [from] }) }}>
            <select name="from" aria-label="Cluster to take in"><option value="">Take in…</option>{choices(detail, others).map((o) => <option value={o.id}>{o.id}: {clip(title(o), 30)}</option>)}</select><button>Merge</button>
          </form>
        </div>
        {fault && <p class="warn" role="alert">{safe(fault)}</p>}
        {detail.neighbours.length > 0 && <><h3>Neighbours</h3>
          <ul class="links">{detail.neighbours.map((n) => <li key={n.id}><button onClick={() => choose(n.id)}><i style={{ background: colour(n.id, dark) }} />{title(n)} <small>{n.similarity.toFixed(2)} · {count(n.size)}</small></button></li>)}</ul></>}
        <h3>What happened</h3>
        <ol class="events">{detail.events.slice(0, 12).map((e) => <li>{told(e, id, choose)}</li>)}</ol>
        {!detail.events.length && <p class="empty">Nothing that is kept.</p>}
        <h3>Documents</h3>
        <ol class="texts">{docs?.documents.map((d) => <li key={d.seq}><Document d={d} /></li>)}</ol>
        {(!docs || docs.next) && <button class="more" onClick={load}>{docs ? 'More' : 'Show them'}</button>}
      </>}
    </div>
  )
}

const choices = (d: Detail, others: Cluster[]) => [...d.neighbours, ...others.filter((o) => o.id !== d.id && !d.neighbours.some((n) => n.id === o.id)).slice(0, 40)]

function Text({ text }: { text: string }) {
  const [all, setAll] = useState(false)
  return <><span dir="auto" class="said">{all ? safe(text) : clip(text, 280)}</span>{text.length > 280 && !all && <button class="all" onClick={() => setAll(true)}>all of it</button>}</>
}

function Document({ d }: { d: Doc }) {
  const [full, setFull] = useState<string>()
  if (full !== undefined) return <span dir="auto" class="said">{safe(full)}</span>
  if (!d.clipped) return <Text text={d.text} />
  return <><span dir="auto" class="said">{clip(d.text, 280)}</span><button class="all" onClick={() => get<Doc>('documents/' + d.seq).then((x) => setFull(x.text))}>all of it</button></>
}

function told(e: Happening, id: number, choose: (id: number) => void) {
  const go = (n: number) => n === id ? <>this one</> : <button class="inline" onClick={() => choose(n)}>{n}</button>
  const when = e.time ? new Date(e.time).toLocaleTimeString() + ' ' : ''
  switch (e.kind) {
    case 'merged': return <>{when}{(e.from ?? []).map((f, i) => <>{i > 0 && ', '}{go(f)}</>)} became part of {go(e.to)}</>
    case 'split': return <>{when}{go(e.to)} took a part of {go(e.from?.[0] ?? 0)}</>
    case 'grew': return <>{when}reached {count(e.size)} documents</>
    case 'renamed': return <>{when}{e.name ? 'named ' + safe(e.name) : 'lost its name'}</>
  }
  return <>{when}{e.kind}</>
}
