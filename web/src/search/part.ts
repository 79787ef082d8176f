// A rectangle of a picture, as shares of its sides; the interface writes LEFT,TOP,WIDTH,HEIGHT with four digits behind the point.

export interface Part {
  left: number
  top: number
  width: number
  height: number
}
interface Point {
  x: number
  y: number
}

/** A thinner rectangle was not meant to be one. */
export const kPartSideMin = 0.02
export const kMiddle: Readonly<Part> = { left: 0.25, top: 0.25, width: 0.5, height: 0.5 }

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value))
const kSteps = 10_000
const rounded = (share: number): number => Math.round(share * kSteps) / kSteps
/** Within the picture, also after rounding. */
function fitted({ left, top, width, height }: Part): Part {
  const from = { left: rounded(clamp(left, 0, 1 - kPartSideMin)), top: rounded(clamp(top, 0, 1 - kPartSideMin)) }
  return { ...from, width: rounded(clamp(width, kPartSideMin, 1 - from.left)), height: rounded(clamp(height, kPartSideMin, 1 - from.top)) }
}

const kShare = '(?:0|1|[01]?\\.\\d{1,4})'
const kForm = new RegExp(`^${kShare}(?:,${kShare}){3}$`)
/** Null for any other text, and for what is not within a picture. */
export function parsePart(text: string): Part | null {
  if (!kForm.test(text)) return null
  const [left = 0, top = 0, width = 0, height = 0] = text.split(',').map(Number)
  const isWithin = width > 0 && height > 0 && rounded(left + width) <= 1 && rounded(top + height) <= 1
  return isWithin ? { left, top, width, height } : null
}
export const partText = ({ left, top, width, height }: Part): string => [left, top, width, height].map(String).join(',')

/** Between two points, given as shares, that may lie beyond the picture; null where they are too near to each other. */
export function partBetween(a: Point, b: Point): Part | null {
  const [x1, x2] = [clamp(Math.min(a.x, b.x), 0, 1), clamp(Math.max(a.x, b.x), 0, 1)]
  const [y1, y2] = [clamp(Math.min(a.y, b.y), 0, 1), clamp(Math.max(a.y, b.y), 0, 1)]
  return x2 - x1 < kPartSideMin || y2 - y1 < kPartSideMin ? null : fitted({ left: x1, top: y1, width: x2 - x1, height: y2 - y1 })
}
/** Pushed aside, no further than the picture goes. */
export const moved = (part: Part, dx: number, dy: number): Part =>
  fitted({ ...part, left: clamp(part.left + dx, 0, 1 - part.width), top: clamp(part.top + dy, 0, 1 - part.height) })
/** With its right and lower edges moved. */
export const resized = (part: Part, dx: number, dy: number): Part => fitted({ ...part, width: part.width + dx, height: part.height + dy })
