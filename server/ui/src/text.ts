// Texts come from strangers. Preact puts them into the page as text, never as markup;
// what could deceive the eye is made visible here.

// Characters that have no look of their own or change the direction of others.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

export const safe = (text: string): string =>
  text.replace(hidden, (c) => '⟨U+' + c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0') + '⟩')

export const clip = (text: string, n: number): string => {
  const short = safe(text.slice(0, 4 * n)).replace(/\s+/g, ' ').trim()
  return short.length > n || text.length > 4 * n ? short.slice(0, n) + '…' : short
}

export const title = (c: { name?: string; terms: string[] | null; text?: string; id?: number }, n = 3): string =>
  c.name ? safe(c.name) : c.terms?.length ? safe(c.terms.slice(0, n).join(' · ')) : c.text ? clip(c.text, 40) : `cluster ${c.id}`

export const count = (n: number): string => n.toLocaleString('en')

export const short = (n: number): string =>
  n >= 1e6 ? (n / 1e6).toFixed(n < 1e7 ? 1 : 0) + 'M' : n >= 1e4 ? (n / 1e3).toFixed(0) + 'k' : count(Math.round(n))

// The golden angle gives every id a colour of its own for ever.
export const hue = (id: number): number => (id * 137.508 + 200) % 360
export const colour = (id: number, dark: boolean): string => `hsl(${hue(id)} ${dark ? 72 : 62}% ${dark ? 66 : 44}%)`
