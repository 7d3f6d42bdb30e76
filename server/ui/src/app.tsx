import { useEffect, useMemo, useReducer, useState } from 'preact/hooks'
import { get, post, type Detail } from './api'
import { ClusterDetail } from './detail'
import { List } from './list'
import { Live } from './live'
import { Map, type Mode } from './map'
import { Search } from './search'
import { clip, colour, count, safe, short } from './text'
import { Timeline } from './timeline'

const useDark = (): [boolean, () => void] => {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const [theme, setTheme] = useState(localStorage.getItem('theme') ?? (system.matches ? 'dark' : 'light'))
  useEffect(() => { document.documentElement.dataset.theme = theme }, [theme])
  const toggle = () => {
    const next = theme === 'dark' ? 'light' : 'dark'
    localStorage.setItem('theme', next)
    setTheme(next)
  }
  return [theme === 'dark', toggle]
}

const fromAddress = () => Number(new URLSearchParams(location.hash.slice(1)).get('cluster')) || 0

export function App() {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const live = useMemo(() => new Live(() => redraw(0)), [])
  const [dark, toggle] = useDark()
  const [chosen, setChosen] = useState(fromAddress)
  const [detail, setDetail] = useState<Detail>()
  const [missing, setMissing] = useState('')
  const [mode, setMode] = useState<Mode>('cluster')
  const [span, setSpan] = useState<[number, number]>()
  const [tab, setTab] = useState<'clusters' | 'search' | 'latest'>('clusters')
  useEffect(() => { live.start() }, [])

  const choose = (id: number) => {
    setChosen(id)
    history.replaceState(null, '', id ? '#cluster=' + id : location.pathname)
  }
  const version = live.status?.map
  useEffect(() => {
    if (!chosen) return setDetail(undefined)
    let stale = false
    get<Detail>('clusters/' + chosen).then(
      (d) => { if (!stale) { setDetail(d); setMissing('') } },
      (e) => { if (!stale) { setDetail(undefined); setMissing(e.message) } },
    )
    return () => { stale = true }
  }, [chosen, version])

  const edited = async (edit: unknown) => {
    await post('edits', edit)
    await live.refresh()
  }

  if (live.link === 'token') return <SignIn done={() => { live.link = 'connecting'; live.start() }} />
  const st = live.status
  const field = live.field
  const share: [number, number] | undefined = span && field.last > field.first
    ? [(span[0] - field.first) / (field.last - field.first), (span[1] - field.first) / (field.last - field.first)] : undefined
  return (
    <div class="page">
      <header>
        <h1><svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="11" cy="13" r="5" /><circle cx="22" cy="10" r="3" /><circle cx="20" cy="21" r="6" /><circle cx="8" cy="23" r="2" /></svg>Starling</h1>
        <p class="source">{st ? safe(st.source) : ''}</p>
        <div class="tools">
          <div class="choice" role="radiogroup" aria-label="Colour by">
            {(['cluster', 'age', 'similarity'] as Mode[]).map((m) => <button role="radio" aria-checked={mode === m} onClick={() => setMode(m)}>{m}</button>)}
          </div>
          <button aria-pressed={live.paused} onClick={() => live.pause(!live.paused)}>{live.paused ? `Resume${live.waiting ? ` (${short(live.waiting)} new)` : ''}` : 'Pause'}</button>
          <button aria-label={dark ? 'Light colours' : 'Dark colours'} onClick={toggle}>{dark ? '☀' : '☾'}</button>
        </div>
      </header>
      <main>
        <section class="stage" aria-label="Map">
          <Map live={live} chosen={chosen} dark={dark} mode={mode} span={share} choose={choose} />
          <State live={live} />
          <Timeline data={live.lists.timeline} history={detail?.history} dark={dark} brush={setSpan} />
        </section>
        <aside aria-label="Clusters">
          {chosen ? (
            <ClusterDetail id={chosen} detail={detail} missing={missing} dark={dark} choose={choose} edit={edited} others={live.lists.clusters} />
          ) : (
            <>
              <div class="tabs" role="tablist">
                {(['clusters', 'search', 'latest'] as const).map((t) => <button role="tab" id={'tab-' + t} aria-selected={tab === t} aria-controls="panel" onClick={() => setTab(t)}>{t[0].toUpperCase() + t.slice(1)}</button>)}
              </div>
              <div id="panel" class="panel" role="tabpanel" aria-labelledby={'tab-' + tab}>
                {tab === 'clusters' && <List lists={live.lists} dark={dark} choose={choose} span={span} loaded={live.loaded} />}
                {tab === 'search' && <Search dark={dark} choose={choose} />}
                {tab === 'latest' && (
                  <ol class="texts" aria-label="Latest documents">
                    {live.texts.map((d) => <li key={d.seq}><button class="cluster" onClick={() => choose(d.cluster)}><i style={{ background: colour(d.cluster, dark) }} />{d.cluster}</button><span dir="auto">{clip(d.text, 220)}</span></li>)}
                    {!live.texts.length && <li class="empty">Documents show here as they come.</li>}
                  </ol>
                )}
              </div>
            </>
          )}
        </aside>
      </main>
      <footer aria-label="Status">
        <span class={'link ' + live.link}>{live.link === 'live' ? (live.paused ? 'paused' : 'live') : live.link === 'lost' ? 'disconnected, trying again' : live.link}</span>
        {st && <>
          <span><b>{count(st.documents)}</b> documents</span>
          <span><b>{count(st.clusters)}</b> clusters</span>
          <span><b>{short(st.rate)}</b>/s</span>
          <span>lag <b>{st.lag < 10 ? st.lag.toFixed(1) : Math.round(st.lag)}</b> s</span>
          <span><b>{Math.round(st.memory / 1048576)}</b> MiB</span>
          <span>model <b>{safe(st.model)}</b></span>
          {st.dead_letters > 0 && <span class="warn"><b>{count(st.dead_letters)}</b> put aside</span>}
          {st.loading && <span>reading what was before…</span>}
          {st.notice && <span class="said" title={safe(st.notice)}>{clip(st.notice, 110)}</span>}
        </>}
      </footer>
    </div>
  )
}

// What there is to say where there is nothing to see.
function State({ live }: { live: Live }) {
  const text = live.link === 'connecting' ? 'Connecting…'
    : live.link === 'lost' ? 'Disconnected. ' + (live.loaded ? 'What you see is as it was; trying again…' : live.why + ' Trying again…')
    : live.link === 'failed' ? 'The server answered with an error: ' + live.why
    : !live.status?.documents ? 'No documents yet. They show here as soon as the first one comes.' : ''
  return <div class={'state' + (text ? '' : ' none')} role="status">{safe(text)}</div>
}

function SignIn({ done }: { done: () => void }) {
  const [wrong, setWrong] = useState('')
  return (
    <main class="signin">
      <form onSubmit={async (e) => {
        e.preventDefault()
        try {
          await post('session', { token: (new FormData(e.currentTarget as HTMLFormElement).get('token') as string).trim() })
          done()
        } catch (x) { setWrong((x as Error).message) }
      }}>
        <h1>Starling</h1>
        <label>Token<input name="token" type="password" autocomplete="current-password" required /></label>
        <button>Show the page</button>
        <p role="alert">{wrong}</p>
      </form>
    </main>
  )
}
