import { describe, expect, it } from 'vitest'
import { justify, ratioOf, verticalNeighbour, type Tile } from './justify'

const options = { width: 1000, rowHeight: 200, gap: 10, isComplete: true }
// A fixed sequence of plausible ratios.
const ratios = Array.from({ length: 200 }, (_, at) => 0.6 + ((at * 7919) % 200) / 100)
const rowsOf = (tiles: Tile[]): Tile[][] => [...new Set(tiles.map((tile) => tile.row))].map((row) => tiles.filter((tile) => tile.row === row))
const widthOf = (row: Tile[], gap: number): number => row.reduce((sum, tile) => sum + tile.width, 0) + gap * (row.length - 1)

describe('justify', () => {
  it.each([320, 366, 700, 1000, 1680])('fills every full row of %i pixels and never wraps', (width) => {
    const rows = rowsOf(justify(ratios, { ...options, width }))
    for (const row of rows.slice(0, -1)) {
      expect(widthOf(row, options.gap)).toBeLessThanOrEqual(width)
      expect(widthOf(row, options.gap)).toBeGreaterThan(width - 1)
    }
  })
  it('places every picture once and in order', () => {
    expect(justify(ratios, options).map((tile) => tile.index)).toEqual(ratios.map((_, at) => at))
  })
  it('keeps each row at one height near the wish', () => {
    for (const row of rowsOf(justify(ratios, options)).slice(0, -1)) {
      expect(new Set(row.map((tile) => tile.height)).size).toBe(1)
      expect(row[0]?.height).toBeGreaterThan(200 / 1.7)
      expect(row[0]?.height).toBeLessThan(200 * 1.7)
    }
  })
  it('never moves a picture when more are added', () => {
    const before = justify(ratios.slice(0, 61), { ...options, isComplete: false })
    const after = justify(ratios, { ...options, isComplete: false })
    expect(after.slice(0, before.length)).toEqual(before)
  })
  it('holds an unfilled row back until nothing more will come', () => {
    const open = justify(ratios.slice(0, 61), { ...options, isComplete: false })
    const closed = justify(ratios.slice(0, 61), options)
    expect(open.length).toBeLessThan(61)
    expect(closed.length).toBe(61)
    expect(closed.slice(0, open.length)).toEqual(open)
  })
  it('shows a few pictures at the wished height, whether more come or not', () => {
    expect(justify([1, 1], { ...options, isComplete: false }).map((tile) => tile.height)).toEqual([200, 200])
  })
  it('shows nothing without width', () => {
    expect(justify(ratios, { ...options, width: 0 })).toEqual([])
  })
})

describe('ratioOf', () => {
  it.each([[100, 100, 1], [1000, 10, 2.6], [10, 1000, 0.6], [0, 0, 1], [5, 0, 2.6]])('bounds %i × %i', (width, height, ratio) => {
    expect(ratioOf(width, height)).toBe(ratio)
  })
})

describe('verticalNeighbour', () => {
  const tiles = justify([1, 1, 1, 1, 1, 2, 2, 1], { width: 530, rowHeight: 100, gap: 7, isComplete: true })
  it('goes to the nearest middle of the next row and back', () => {
    expect(rowsOf(tiles).map((row) => row.length)).toEqual([5, 3])
    expect(verticalNeighbour(tiles, 0, 1, 7)).toBe(5)
    expect(verticalNeighbour(tiles, 4, 1, 7)).toBe(7)
    expect(verticalNeighbour(tiles, 7, -1, 7)).toBe(4)
  })
  it('is null above the first and below the last row', () => {
    expect(verticalNeighbour(tiles, 0, -1, 7)).toBeNull()
    expect(verticalNeighbour(tiles, 7, 1, 7)).toBeNull()
  })
})
