import { describe, expect, it } from 'vitest'
import { askedText, kLikeMax, kLikeWeight, kUnlikeMax, kUnlikeWeight, likePicture, parseAsked, steppedWeight, withoutPicture, withPicture } from './asked'

const kToken = '0123456789abcdef0123'

describe('a picture in a query', () => {
  it.each(['12', '12.3', '12*0.5', '12.3*0.25', '12@0.25,0,0.5,1', '12@0,0,1,0.0001*2', kToken, `${kToken}*2`])('comes back as it was written: %s', (text) => {
    const picture = parseAsked(text, kLikeWeight)
    expect(picture && askedText(picture, kLikeWeight)).toBe(text)
  })
  it('says its weight only where it is not the usual one', () => {
    expect(parseAsked('9', kUnlikeWeight)).toEqual({ id: 9, token: null, region: null, part: null, weight: 0.5 })
    expect(askedText(likePicture(9), kUnlikeWeight)).toBe('9*1')
  })
  it.each(['', '0', '-1', 'x', 'short', '12.9', '12.0', '12*', '12*0', '12*101', '12*1e1', `${kToken}.3`, `${kToken}@0,0,1,1`, '12@0,0,1,2', '12@0,0,1', '12.3@0,0,1,1', '12345678901234567', 'with space and more'])('is not %j', (text) => {
    expect(parseAsked(text, kLikeWeight)).toBeNull()
  })
  it('is made heavier and lighter by steps', () => {
    expect([steppedWeight(1, 1), steppedWeight(1, -1), steppedWeight(0.7, 1), steppedWeight(4, 1), steppedWeight(0.25, -1)]).toEqual([2, 0.5, 1, 4, 0.25])
  })
  it('stands on one side only', () => {
    const query = { like: [likePicture(1), likePicture(2)], unlike: [] }
    const turned = withPicture(query, 'unlike', { ...likePicture(1), weight: kUnlikeWeight })
    expect(turned).toEqual({ like: [likePicture(2)], unlike: [{ ...likePicture(1), weight: 0.5 }] })
    expect(withPicture(turned, 'unlike', { ...likePicture(1), weight: 2 }).unlike).toEqual([{ ...likePicture(1), weight: 2 }])
    expect(withoutPicture(turned, likePicture(1)).unlike).toEqual([])
    expect(withPicture(query, 'like', likePicture(1, 3)).like).toHaveLength(3)
  })
  it.each([['like', kLikeMax], ['unlike', kUnlikeMax]] as const)('takes the place of the oldest where there are enough to be %s', (side, max) => {
    const full = { like: [], unlike: [], [side]: Array.from({ length: max }, (_, at) => likePicture(at + 1)) }
    const ids = withPicture(full, side, likePicture(999))[side].map(({ id }) => id)
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([max, 2, 999])
    expect(withPicture(full, side, { ...likePicture(1), weight: 4 })[side].map(({ id }) => id)[0]).toBe(1)
  })
})
