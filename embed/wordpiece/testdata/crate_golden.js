// Writes crate_golden.json: what the Rust crate tokenizers 0.22.2 makes of every
// code point and of random texts.
//
//   npm install --ignore-scripts @anush008/tokenizers@0.6.0
//   node crate_golden.js [TEXTS PER TOKENIZER [SEED]] > crate_golden.json

const { Tokenizer, bertNormalizer, bertPreTokenizer } = require('@anush008/tokenizers')
const { createHash } = require('crypto')

const textsPerTokenizer = Number(process.argv[2] || 24)
let state = Number(process.argv[3] || 1)

// random is mulberry32.
function random() {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]

// codePoints are all but most of planes 4 to 16, where nothing is but private use.
function* codePoints() {
  for (let c = 0; c < 0x110000; c++) {
    if ((c < 0xd800 || c > 0xdfff) && (c < 0x40000 || (c >= 0xe0000 && c < 0xe1000) || c >= 0x10f000)) yield c
  }
}

// digest is the SHA-256 of what every code point becomes, a line feed behind each.
function digest(become) {
  const hash = createHash('sha256')
  for (const c of codePoints()) hash.update(become(String.fromCodePoint(c)) + '\n')
  return hash.digest('hex')
}

const flags = ['clean_text', 'handle_chinese_chars', 'strip_accents', 'lowercase']

const normalizers = [...Array(16).keys()].map(bits => flags.map((_, i) => Boolean(bits & (1 << i))))

function normalizerOf([cleanText, handleChineseChars, stripAccents, lowercase]) {
  return bertNormalizer({ cleanText, handleChineseChars, stripAccents, lowercase })
}

function kindOf(c) {
  const words = bertPreTokenizer().preTokenizeString('a' + c + 'b').length
  return ['inWord', 'space', 'punctuation'][words - 1]
}

// What a random text is made of: letters of the vocabulary, spaces, controls,
// accents, ideographs, hangul, and marks that decomposition puts in order.
const parts = [
  ...'aaabbbcccABCxyz', ...'     ', '\t', '\n', '\v', '\0', '\x7f', '\u00a0', '\u2003', '\u200d', '\ufeff', '\ufffd', '\ue000',
  ...'.,-[]()#$+_', '\u201c', '\u3001', '\u166d', '\u1b7d', '\ud83d\ude00', '\u2764\ufe0f',
  'é', 'e\u0301', 'Å', 'ǅ', 'ß', 'ẞ', 'İ', 'ı', 'Σ', 'ς', 'ﬁ', 'Ω', '\u0345', '\u0300', '\u0327', '\u034f', '\u0378',
  '中', '文', '豈', '\ud840\udc00', '\ud87e\udc00', 'か', 'ガ', 'ｶﾞ', '한', '각', '\u302e', '\u302a', '\u302f',
  '\ud834\udd5e', '\ud834\udd60', '\ud834\udd65', '\ud834\udd6d', '\ud834\udd72', '\u1734', '\u08d4', '\u08e3', '\u1dfb', '\ud804\uddca', '\u1df6',
  'к', 'Й', 'й', 'م', 'ُ', 'ก', 'ั',
]

const contents = ['[MASK]', '[SEP]', 'ab', 'a', 'b c', ' a', 'Abc', 'É', 'é', '中', '..', '[', '\u0301a', 'ABC', 'bc ', 'xy\u00a0']

const text = more => Array.from({ length: 1 + below(14) }, () => pick(random() < 0.3 && more.length ? more : parts)).join('')

const vocab = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', 'c', 'ab', 'abc', '##a', '##b', '##bc', '##c', 'A', 'B', '##A', 'e', 'é',
  '##e', '##é', 'x', '##y', '##z', 'xy', '.', ',', '-', '[', ']', '#', '中', '豈', '한', '\u1112', '##\u1161', '##\u11ab', 'σ', 'ς', '##σ', 'i', '##\u0307',
  '\ud83d\ude00', 'к', '##и', 'и', 'й', '$', '+']

const randomFlag = () => random() < 0.4

function randomTokenizer() {
  const added = []
  let id = vocab.length
  for (const content of contents) {
    if (random() < 0.6) continue
    const known = vocab.indexOf(content)
    added.push({
      id: known < 0 ? id++ : known, content, single_word: randomFlag(), lstrip: randomFlag(), rstrip: randomFlag(),
      normalized: randomFlag(), special: randomFlag(),
    })
  }
  const [clean_text, handle_chinese_chars, , lowercase] = pick(normalizers)
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: added,
    normalizer: { type: 'BertNormalizer', clean_text, handle_chinese_chars, strip_accents: pick([null, true, false]), lowercase },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: pick([null, { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] }]),
    decoder: null,
    model: {
      type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: pick(['##', '##', '', 'a']), max_input_chars_per_word: pick([100, 100, 3]),
      vocab: Object.fromEntries(vocab.map((token, i) => [token, i])),
    },
  }
}

async function encoded() {
  const tokenizer = randomTokenizer()
  const crate = Tokenizer.fromString(JSON.stringify(tokenizer))
  const texts = []
  for (let i = 0; i < textsPerTokenizer; i++) {
    const t = text(tokenizer.added_tokens.map(token => token.content))
    texts.push({ text: t, ids: (await crate.encode(t)).getIds() })
  }
  return { tokenizer, texts }
}

async function main() {
  const normalized = normalizers.map(options => {
    const normalizer = normalizerOf(options)
    return {
      ...Object.fromEntries(flags.map((flag, i) => [flag, options[i]])),
      code_points: digest(c => normalizer.normalizeString(c)),
      texts: Array.from({ length: textsPerTokenizer }, () => text([])).map(t => [t, normalizer.normalizeString(t)]),
    }
  })
  const tokenizers = []
  for (let i = 0; i < 32; i++) tokenizers.push(await encoded())
  process.stdout.write(`{"kinds": "${digest(kindOf)}",\n"normalizers": ${lines(normalized)},\n"tokenizers": ${lines(tokenizers)}}\n`)
}

// lines is JSON in ASCII, a line for each item.
function lines(list) {
  const escape = c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')
  return '[\n' + list.map(item => JSON.stringify(item).replace(/[\u007f-\uffff]/g, escape)).join(',\n') + ']'
}

main()
