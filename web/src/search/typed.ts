// The signs of the search box, as src/search/typed_words.h of the server reads them: "a phrase", -word, -"a phrase".

export interface TypedPart {
  kind: 'word' | 'phrase' | 'without'
  /** Without its signs. */
  text: string
  /** As it was typed. */
  typed: string
}

const kParts = /-?["“”„‟«»][^"“”„‟«»]*["“”„‟«»]|\S+/gu
/** The server's measure: an ASCII letter or digit, or anything beyond ASCII. */
const kHasWord = /[0-9A-Za-z\u0080-\u{10FFFF}]/u

export function typedParts(q: string): TypedPart[] {
  return [...q.matchAll(kParts)].flatMap(([typed]): TypedPart[] => {
    const quoted = /^-?["“”„‟«»](.*)["“”„‟«»]$/su.exec(typed)?.[1]
    if (!kHasWord.test(quoted ?? typed)) return []
    if (typed.startsWith('-') && !typed.startsWith('--')) return [{ kind: 'without', text: quoted ?? typed.slice(1), typed }]
    return [{ kind: quoted === undefined ? 'word' : 'phrase', text: quoted ?? typed, typed }]
  })
}

/** What is typed without the part at this place. */
export function withoutPart(q: string, place: number): string {
  return typedParts(q).filter((_, at) => at !== place).map((part) => part.typed).join(' ')
}
