// The signs of the search box, as src/search/typed_words.h of the server reads them: "a phrase", -word, -"a phrase".

export interface TypedPart {
  kind: 'word' | 'phrase' | 'without'
  /** Without its signs. */
  text: string
  /** As it was typed. */
  typed: string
}

const kParts = /-?["“”„‟«»][^"“”„‟«»]*["“”„‟«»]|\S+/gu
const kHasWord = /[\p{L}\p{N}\p{M}]/u

export function typedParts(q: string): TypedPart[] {
  return [...q.matchAll(kParts)].flatMap(([typed]): TypedPart[] => {
    if (!kHasWord.test(typed)) return []
    const quoted = /^-?["“”„‟«»](.*)["“”„‟«»]$/su.exec(typed)?.[1]
    if (typed.startsWith('-') && !typed.startsWith('--')) return [{ kind: 'without', text: quoted ?? typed.slice(1), typed }]
    return [{ kind: quoted === undefined ? 'word' : 'phrase', text: quoted ?? typed, typed }]
  })
}

/** What is typed without the part at this place. */
export function withoutPart(q: string, place: number): string {
  return typedParts(q).filter((_, at) => at !== place).map((part) => part.typed).join(' ')
}
