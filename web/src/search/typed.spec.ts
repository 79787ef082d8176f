import { describe, expect, it } from 'vitest'
import { typedParts, withoutPart } from './typed'

const kinds = (q: string): string[] => typedParts(q).map(({ kind, text }) => `${kind}:${text}`)

describe('what is typed', () => {
  it('falls into words, phrases and what is left out', () => {
    expect(kinds('red "oak chair" -plastic -"for hire"')).toEqual(['word:red', 'phrase:oak chair', 'without:plastic', 'without:for hire'])
    expect(kinds('„roter Stuhl“ -椅子')).toEqual(['phrase:roter Stuhl', 'without:椅子'])
  })
  it('has signs only where a word begins', () => {
    expect(kinds('t-shirt a - b --dash 27" "unclosed phrase')).toEqual(['word:t-shirt', 'word:a', 'word:b', 'word:--dash', 'word:27"', 'word:"unclosed', 'word:phrase'])
  })
  it('has a word wherever there is an ASCII letter or digit, or anything beyond ASCII', () => {
    expect(kinds('a 7 é 椅 ★ -€ "…"')).toEqual(['word:a', 'word:7', 'word:é', 'word:椅', 'word:★', 'without:€', 'phrase:…'])
    expect(kinds('- ! _ "" “” "!" -«» -"?" -+')).toEqual([])
  })
  it('is parted by every space of Unicode', () => {
    const spaces = '\t\n\v\f\r \u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
    for (const space of spaces) expect(kinds(`a${space}-b`)).toEqual(['word:a', 'without:b'])
    expect(kinds('a\u200b-b')).toHaveLength(1)
  })
  it('goes on without one of its parts', () => {
    expect(withoutPart('red "oak chair" -plastic', 1)).toBe('red -plastic')
    expect(withoutPart('red', 0)).toBe('')
  })
})
