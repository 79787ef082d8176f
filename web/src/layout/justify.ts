// Rows of pictures that fill the width exactly, each row of one height, in reading order. Places depend only on what comes
// before, so a picture never moves when more are added.

export interface Tile {
  index: number
  row: number
  width: number
  height: number
}
export interface JustifyOptions {
  width: number
  rowHeight: number
  gap: number
  /** No more pictures will come: the last row is shown even if it is not full. */
  isComplete: boolean
}

const kRatioMin = 0.6
const kRatioMax = 2.6
const kStretchMax = 1.3

/** Width by height, kept within bounds so that a banner or a pole does not spoil its row. */
export function ratioOf(width: number, height: number): number {
  return Math.min(kRatioMax, Math.max(kRatioMin, width / height || 1))
}

function rowTiles(ratios: readonly number[], start: number, row: number, height: number): Tile[] {
  // Rounded down to hundredths, so that the sum never exceeds the width and wraps.
  return ratios.map((ratio, at) => ({ index: start + at, row, width: Math.floor(ratio * height * 100) / 100, height: Math.round(height * 100) / 100 }))
}

/** A row that is not full and may still grow is left out, unless it is the only one. */
export function justify(ratios: readonly number[], { width, rowHeight, gap, isComplete }: JustifyOptions): Tile[] {
  const tiles: Tile[] = []
  if (width <= 0) return tiles
  let start = 0
  let row = 0
  let sum = 0
  const heightOf = (count: number, ratioSum: number): number => (width - gap * (count - 1)) / ratioSum
  const close = (end: number, height: number): void => {
    tiles.push(...rowTiles(ratios.slice(start, end), start, row, height))
    start = end
    row += 1
  }
  for (let at = 0; at < ratios.length; at += 1) {
    const ratio = ratios[at] ?? 1
    const fuller = heightOf(at + 1 - start, sum + ratio)
    if (fuller > rowHeight) {
      sum += ratio
      continue
    }
    // Full with this picture (a bit low) or without it (a bit high), whichever is nearer the wish.
    const emptier = at > start ? heightOf(at - start, sum) : Infinity
    if (emptier / rowHeight < rowHeight / fuller && emptier <= rowHeight * kStretchMax) {
      close(at, emptier)
      sum = ratio
    } else {
      close(at + 1, fuller)
      sum = 0
    }
  }
  if (start < ratios.length && (isComplete || row === 0)) {
    const natural = heightOf(ratios.length - start, sum)
    close(ratios.length, natural <= rowHeight * kStretchMax ? natural : rowHeight)
  }
  return tiles
}

/** The tile one row up or down whose middle is nearest, or null at the edge. */
export function verticalNeighbour(tiles: readonly Tile[], index: number, step: 1 | -1, gap: number): number | null {
  const from = tiles[index]
  if (!from) return null
  const middles = (row: number): { index: number; middle: number }[] => {
    let left = 0
    return tiles.filter((tile) => tile.row === row).map((tile) => {
      const middle = left + tile.width / 2
      left += tile.width + gap
      return { index: tile.index, middle }
    })
  }
  const wish = middles(from.row).find((tile) => tile.index === index)?.middle ?? 0
  const row = middles(from.row + step)
  if (row.length === 0) return null
  return row.reduce((best, tile) => (Math.abs(tile.middle - wish) < Math.abs(best.middle - wish) ? tile : best)).index
}
