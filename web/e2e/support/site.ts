// A small gallery of its own for the crawl tests: pictures nobody has seen before, so that they must become findable.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateSync } from 'node:zlib'

function crc32(bytes: Buffer): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** Coloured discs and stripes at places that the seed decides: no two alike. */
export function drawPng(seed: number, width = 360, height = 270): Buffer {
  let state = (seed * 2654435761) >>> 0
  const random = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0
    return state / 2 ** 32
  }
  const discs = Array.from({ length: 7 }, () => ({ x: random() * width, y: random() * height, r: 15 + random() * 90, rgb: [random() * 255, random() * 255, random() * 255] }))
  const ground = [random() * 255, random() * 255, random() * 255]
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const top = discs.filter((disc) => (disc.x - x) ** 2 + (disc.y - y) ** 2 < disc.r ** 2).at(-1)
      const rgb = top?.rgb ?? ground
      for (let channel = 0; channel < 3; channel += 1) rows[y * (width * 3 + 1) + 1 + x * 3 + channel] = rgb[channel] ?? 0
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

export interface Gallery {
  url: string
  /** In every title, and nowhere else in the collection. */
  word: string
  close(): Promise<void>
}

/** A gallery of `size` pages with a picture each; `delayMs` makes every answer slow. */
export async function startGallery({ size, delayMs = 0 }: { size: number; delayMs?: number }): Promise<Gallery> {
  const seed = Date.now() % 1_000_000_000
  const word = `glimmerwort${seed.toString(36)}`
  const page = (at: number): string => `<!doctype html><html lang="en"><title>${word} number ${at}</title><h1>${word} number ${at}</h1>
    <img src="/pictures/${at}.png" alt="${word} number ${at}" width="360" height="270"><p><a href="/pages/${(at + 1) % size}">next</a></p></html>`
  const index = `<!doctype html><html lang="en"><title>Gallery</title><ul>${Array.from({ length: size }, (_, at) => `<li><a href="/pages/${at}">${at}</a></li>`).join('')}</ul></html>`
  const server: Server = createServer((request, response) => {
    const [, kind, name] = /^\/(pages|pictures)\/(\d+)/.exec(request.url ?? '') ?? []
    const send = (status: number, type: string, body: string | Buffer): void => {
      setTimeout(() => response.writeHead(status, { 'Content-Type': type }).end(body), delayMs)
    }
    if (request.url === '/') send(200, 'text/html; charset=utf-8', index)
    else if (kind === 'pages') send(200, 'text/html; charset=utf-8', page(Number(name)))
    else if (kind === 'pictures') send(200, 'image/png', drawPng(seed + Number(name)))
    else send(404, 'text/plain', 'nothing here')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    word,
    close: () => new Promise((done) => {
      server.closeAllConnections()
      server.close(() => done())
    }),
  }
}
