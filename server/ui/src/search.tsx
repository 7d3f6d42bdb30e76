import { useState } from 'preact/hooks'
import { get, post, type DocList, type Match } from './api'
import { clip, colour, count, safe, title } from './text'

interface Found { matches: Match[]; list: DocList; words: string }

export function Search({ dark, choose }: { dark: boolean; choose: (id: number) => void }) {
  const [found, setFound] = useState<Found>()
  const [state, setState] = useState('')
  const search = async (text: string) => {
    if (!text.trim()) return
    setState('Searching…')
    try {
      const [{ matches }, list] = await Promise.all([post<{ matches: Match[] }>('assign', { text }), get<DocList>('search?limit=30&q=' + encodeURIComponent(text))])
      setFound({ matches, list, words: text })
      setState('')
    } catch (e) { setState((e as Error).message) }
  }
  const further = async () => {
    if (!found?.list.next) return
    const more = await get<DocList>(`search?limit=30&before=${found.list.next}&q=` + encodeURIComponent(found.words))
    setFound({ ...found, list: { ...more, documents: found.list.documents.concat(more.documents) } })
  }
  return (
    <>
      <form class="filter" role="search" onSubmit={(e) => { e.preventDefault(); search(new FormData(e.currentTarget as HTMLFormElement).get('q') as string) }}>
        <input type="search" name="q" placeholder="Words, or a text: which cluster would it join?" aria-label="Words or a text" />
        <button>Search</button>
      </form>
      <p class="empty" role="status">{safe(state)}</p>
      {found && <>
        <h2>By meaning</h2>
        <ul class="clusters matches">
          {found.matches.slice(0, 5).map((m) => (
            <li key={m.id}><button class="row" onClick={() => choose(m.id)}>
              <i style={{ background: colour(m.id, dark) }} />
              <span class="name">{title(m)}</span><b>{m.similarity.toFixed(2)}</b>
              <span class="text" dir="auto">{clip(m.text, 100)}</span>
              {m.joins && <span class="trend growing">would join</span>}
            </button></li>
          ))}
        </ul>
        <h2>By words</h2>
        <ol class="texts results">
          {found.list.documents.map((d) => <li key={d.seq}><button class="cluster" onClick={() => choose(d.cluster)}><i style={{ background: colour(d.cluster, dark) }} />{d.cluster}</button><span dir="auto">{clip(d.text, 260)}</span></li>)}
        </ol>
        {!found.list.documents.length && <p class="empty">No document with all of these words{found.list.next ? ` among the last, back to number ${count(found.list.searched ?? 0)}` : ''}.</p>}
        {found.list.next && <button class="more" onClick={further}>Look further back</button>}
      </>}
    </>
  )
}
