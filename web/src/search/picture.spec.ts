import { describe, expect, it, vi } from 'vitest'
import { fitScale, pictureIn, prepare, remember, pictureOf, thumbnailOf } from './picture'

describe('fitScale', () => {
  it.each([[2000, 1000, 1000, 0.5], [100, 50, 1000, 1], [500, 2000, 1000, 0.5], [0, 0, 10, 1]])('fits %i × %i into %i', (width, height, side, scale) => {
    expect(fitScale(width, height, side)).toBe(scale)
  })
})

describe('pictureIn', () => {
  it('takes the first picture among other files', () => {
    const files = [new File([''], 'a.txt', { type: 'text/plain' }), new File([''], 'b.png', { type: 'image/png' }), new File([''], 'c.gif', { type: 'image/gif' })]
    expect(pictureIn(files)?.name).toBe('b.png')
  })
  it('is null without one', () => {
    expect(pictureIn([])).toBeNull()
    expect(pictureIn(undefined)).toBeNull()
  })
})

describe('a picture this browser cannot decode', () => {
  it('is sent as it is', async () => {
    vi.stubGlobal('createImageBitmap', vi.fn().mockRejectedValue(new Error('no')))
    const file = new Blob(['tiff'], { type: 'image/tiff' })
    expect(await prepare(file)).toEqual({ body: file, thumbnail: null, part: null })
    vi.unstubAllGlobals()
  })
})

describe('a token', () => {
  it('stands for its picture', () => {
    const body = new Blob(['x'])
    remember('abcdefghijklmnop', { body, thumbnail: 'data:image/jpeg;base64,AA==', part: null })
    expect(pictureOf('abcdefghijklmnop')?.body).toBe(body)
    expect(thumbnailOf('abcdefghijklmnop')).toBe('data:image/jpeg;base64,AA==')
    expect(thumbnailOf('another')).toBeNull()
  })
})
