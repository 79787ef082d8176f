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
  it('goes on without one of its parts', () => {
    expect(withoutPart('red "oak chair" -plastic', 1)).toBe('red -plastic')
    expect(withoutPart('red', 0)).toBe('')
  })
})
