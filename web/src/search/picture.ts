// The picture one searches with: made smaller before it is sent, kept in this tab so that it can be shown and sent again.

import type { Part } from './part'

const kSideMax = 1280
const kBytesAsIs = 1_000_000
const kThumbnailSide = 160

/** The scale that fits a picture into a square of that side; never enlarges. */
export function fitScale(width: number, height: number, side: number): number {
  return Math.min(1, side / Math.max(width, height, 1))
}

async function drawn(bitmap: ImageBitmap, side: number, type: string): Promise<HTMLCanvasElement> {
  const scale = fitScale(bitmap.width, bitmap.height, side)
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas')
  if (type === 'image/jpeg') {
    context.fillStyle = '#fff'
    context.fillRect(0, 0, canvas.width, canvas.height)
  }
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return canvas
}

export interface PreparedPicture {
  /** What to send. A large photo is sent at 1280 pixels, which also leaves out where it was taken. */
  body: Blob
  /** A small picture as data: address, or null if this browser cannot decode the format (the server may). */
  thumbnail: string | null
  /** What of the body is meant; the whole if null. */
  part: Part | null
}

function cutOf({ width, height }: ImageBitmap, part: Part): [number, number, number, number] {
  const [left, top] = [Math.floor(part.left * width), Math.floor(part.top * height)]
  return [left, top, Math.max(1, Math.round(part.width * width)), Math.max(1, Math.round(part.height * height))]
}

export async function prepare(file: Blob, part: Part | null = null): Promise<PreparedPicture> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file)
  } catch {
    return { body: file, thumbnail: null, part }
  }
  const thumbnail = (await drawn(part ? await createImageBitmap(bitmap, ...cutOf(bitmap, part)) : bitmap, kThumbnailSide, 'image/jpeg')).toDataURL('image/jpeg', 0.8)
  const isLarge = file.size > kBytesAsIs || fitScale(bitmap.width, bitmap.height, kSideMax) < 1
  if (!isLarge) return { body: file, thumbnail, part }
  const canvas = await drawn(bitmap, kSideMax, 'image/jpeg')
  const body = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.9))
  return { body: body ?? file, thumbnail, part }
}

const kThumbnailKey = 'magpie.picture.'
const pictures = new Map<string, PreparedPicture>()

/** Remembers what a token stands for: the bytes until the page is left, the thumbnail until the tab is closed. */
export function remember(token: string, picture: PreparedPicture): void {
  pictures.set(token, picture)
  if (!picture.thumbnail) return
  try {
    sessionStorage.setItem(kThumbnailKey + token, picture.thumbnail)
  } catch {
    // Full or forbidden: the chip shows an icon instead.
  }
}
export const pictureOf = (token: string): PreparedPicture | undefined => pictures.get(token)
export function thumbnailOf(token: string): string | null {
  try {
    return sessionStorage.getItem(kThumbnailKey + token)
  } catch {
    return null
  }
}

/** The first picture of a drop or paste. */
export function pictureIn(files: Iterable<File> | null | undefined): File | null {
  for (const file of files ?? []) if (file.type.startsWith('image/')) return file
  return null
}
