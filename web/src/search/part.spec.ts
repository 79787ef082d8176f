import { describe, expect, it } from 'vitest'
import { kMiddle, moved, parsePart, partBetween, partText, resized } from './part'

describe('a part of a picture', () => {
  it.each(['0,0,1,1', '0.25,0,0.5,0.75', '0.0001,0.9999,0.9999,0.0001'])('comes back as it was written: %s', (text) => {
    const part = parsePart(text)
    expect(part && partText(part)).toBe(text)
  })
  it.each(['', '0,0,1', '0,0,1,1,1', '0,0,0,1', '0.5,0,0.5001,1', '-0.1,0,1,1', '0,0,1,2', '0,0,1,0.00001', '1e0,0,1,1', '0, 0,1,1'])('is not %j', (text) => {
    expect(parsePart(text)).toBeNull()
  })
  it('is drawn in any direction, and ends with the picture', () => {
    expect(partBetween({ x: 0.6, y: 0.9 }, { x: 0.2, y: 0.4 })).toEqual({ left: 0.2, top: 0.4, width: 0.4, height: 0.5 })
    expect(partBetween({ x: -1, y: 0.5 }, { x: 0.5, y: 3 })).toEqual({ left: 0, top: 0.5, width: 0.5, height: 0.5 })
  })
  it('is none where hardly anything was drawn', () => {
    expect(partBetween({ x: 0.5, y: 0.5 }, { x: 0.505, y: 0.9 })).toBeNull()
  })
  it('stays within the picture when it is moved and made larger', () => {
    expect(moved(kMiddle, 0.1, -0.1)).toEqual({ left: 0.35, top: 0.15, width: 0.5, height: 0.5 })
    expect(moved(kMiddle, 5, -5)).toEqual({ left: 0.5, top: 0, width: 0.5, height: 0.5 })
    expect(resized(kMiddle, 5, -5)).toEqual({ left: 0.25, top: 0.25, width: 0.75, height: 0.02 })
    for (let i = 0; i < 200; i++) expect(parsePart(partText(moved(resized(kMiddle, Math.random() - 0.5, Math.random() - 0.5), Math.random() - 0.5, Math.random() - 0.5)))).not.toBeNull()
  })
})
