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

interface Colours {
  ground: number[]
  discs: number[]
}

/** Coloured discs at places that the seed decides: no two alike, and those of the same colours of one kind. Rows as a PNG has them, packed. */
function drawPixels(seed: number, width: number, height: number, colours?: Colours): Buffer {
  let state = (seed * 2654435761) >>> 0
  const random = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0
    return state / 2 ** 32
  }
  const discs = Array.from({ length: 7 }, () => ({ x: random() * width, y: random() * height, r: 15 + random() * 90, rgb: colours?.discs ?? [random() * 255, random() * 255, random() * 255] }))
  const ground = colours?.ground ?? [random() * 255, random() * 255, random() * 255]
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const top = discs.filter((disc) => (disc.x - x) ** 2 + (disc.y - y) ** 2 < disc.r ** 2).at(-1)
      const rgb = top?.rgb ?? ground
      for (let channel = 0; channel < 3; channel += 1) rows[y * (width * 3 + 1) + 1 + x * 3 + channel] = rgb[channel] ?? 0
    }
  }
  return deflateSync(rows)
}
/** A chunk's data of big-endian numbers of 32 bits, and single bytes behind them. */
function numbers(words: number[], bytes: number[] = []): Buffer {
  const data = Buffer.alloc(words.length * 4)
  words.forEach((word, at) => data.writeUInt32BE(word, at * 4))
  return Buffer.concat([data, Buffer.from(bytes)])
}
function png(width: number, height: number, chunks: Buffer[]): Buffer {
  const head = chunk('IHDR', numbers([width, height], [8, 2, 0, 0, 0]))
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), head, ...chunks, chunk('IEND', Buffer.alloc(0))])
}

export function drawPng(seed: number, width = 360, height = 270, colours?: Colours): Buffer {
  return png(width, height, [chunk('IDAT', drawPixels(seed, width, height, colours))])
}

/** An animated PNG (its specification, third edition): frames of a fifth of a second each. */
export function drawAnimation(seed: number, frames: number, width = 240, height = 180): Buffer {
  const chunks = [chunk('acTL', numbers([frames, 0]))]
  for (let frame = 0; frame < frames; frame += 1) {
    const pixels = drawPixels(seed + frame, width, height)
    chunks.push(chunk('fcTL', numbers([Math.max(0, 2 * frame - 1), width, height, 0, 0], [0, 1, 0, 5, 0, 0])))
    chunks.push(frame === 0 ? chunk('IDAT', pixels) : chunk('fdAT', Buffer.concat([numbers([2 * frame]), pixels])))
  }
  return png(width, height, chunks)
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
  return serve(word, delayMs, (path) => {
    const [, kind, name] = /^\/(pages|pictures)\/(\d+)/.exec(path) ?? []
    if (path === '/') return index
    if (kind === 'pages') return page(Number(name))
    return kind === 'pictures' ? drawPng(seed + Number(name)) : null
  })
}

/** Pictures of one kind, of which some have words and the others none; and an animation. */
export async function startFamily(): Promise<Gallery> {
  const seed = Date.now() % 1_000_000_000
  const word = `glowmoss${seed.toString(36)}`
  const colours = { ground: [20, 20 + (seed % 60), 90], discs: [250, 220, 30] }
  const named = 5
  const pictures = Array.from({ length: 8 }, (_, at) => `<img src="/pictures/${at}.png"${at < named ? ` alt="the ${word} pattern"` : ''}>`)
  const page = (...content: string[]): string => `<!doctype html><html lang="en"><title>Page</title>${content.join('\n')}</html>`
  return serve(word, 0, (path) => {
    if (path === '/') return page('<a href="/named">more</a> <a href="/others">more</a> <a href="/moving">more</a>')
    if (path === '/named') return page(...pictures.slice(0, named))
    if (path === '/others') return page(...pictures.slice(named))
    if (path === '/moving') return page(`<img src="/moving.png" alt="moving ${word}">`)
    if (path === '/moving.png') return drawAnimation(seed + 100, 6)
    const [, name] = /^\/pictures\/(\d+)/.exec(path) ?? []
    return name ? drawPng(seed + Number(name), 320, 320, colours) : null
  })
}

/** What would call `pwned()` if a page took any of it for markup or followed it. */
function hostile(text: string): string[] {
  return [
    `${text}<script>pwned()</script>`, `${text}<img src=x onerror=pwned()>`, `${text}" onmouseover="pwned()" autofocus onfocus="pwned()`, `${text}'><svg/onload=pwned()>`,
    `${text}{{constructor.constructor('pwned()')()}}`, `${text}</title></script><script>pwned()</script>`, `${text}\u202E<iframe srcdoc="<script>parent.pwned()</script>">`,
  ]
}
const asAttribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

/** Shops, pictures and products that are named by whoever wants a script to run. */
export async function startHostile(): Promise<Gallery> {
  const seed = Date.now() % 1_000_000_000
  const word = `thornweed${seed.toString(36)}`
  const texts = hostile(word)
  const evil = 'javascript:pwned()'
  const product = (text: string, at: number): string => JSON.stringify({
    '@context': 'https://schema.org', '@type': 'Product', name: text, description: text, brand: { '@type': 'Brand', name: text }, category: text, sku: text, url: evil, image: `/pictures/${at}.png`,
    offers: { '@type': 'Offer', price: '12.50', priceCurrency: 'EUR', availability: 'InStock', url: evil, seller: { name: text } },
  }).replaceAll('</', '<\\/')
  const licence = (text: string, at: number): string => JSON.stringify({
    '@context': 'https://schema.org', '@type': 'ImageObject', contentUrl: `/pictures/${at}.png`, license: at % 2 ? evil : text.slice(0, 150), creditText: text, acquireLicensePage: evil,
  }).replaceAll('</', '<\\/')
  const page = (text: string, at: number): string => `<!doctype html><html lang="en"><head><title>${asAttribute(text)}</title><link rel="canonical" href="/pages/${at}"><meta name="description" content="${asAttribute(text)}">
    <meta name="keywords" content="${asAttribute(text)}"><meta property="og:site_name" content="${asAttribute(text)}"><script type="application/ld+json">${product(text, at)}</script><script type="application/ld+json">${licence(text, at)}</script></head>
    <body><h1>${asAttribute(text)}</h1><figure><img src="/pictures/${at}.png" alt="${asAttribute(text)}" title="${asAttribute(text)}"><figcaption>${asAttribute(text)}</figcaption></figure><a href="${evil}">${asAttribute(text)}</a></body></html>`
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300" onload="pwned()"><script>pwned()</script><rect width="300" height="200" fill="teal"/><circle cx="150" cy="150" r="90" fill="gold"/></svg>'
  return serve(word, 0, (path) => {
    const [, kind, name] = /^\/(pages|pictures)\/(\d+)/.exec(path) ?? []
    if (path === '/') return `<!doctype html><title>All</title>${texts.map((_, at) => `<a href="/pages/${at}">${at}</a>`).join(' ')} <img src="/drawing.svg" alt="drawing ${word}">`
    if (path === '/drawing.svg') return { type: 'image/svg+xml', body: drawing }
    if (kind === 'pages') return page(texts[Number(name)] ?? word, Number(name))
    return kind === 'pictures' ? drawPng(seed + Number(name)) : null
  })
}

interface Typed {
  type: string
  body: string
}
/** A server of pages (text) and PNG pictures (bytes). */
async function serve(word: string, delayMs: number, answer: (path: string) => string | Buffer | Typed | null): Promise<Gallery> {
  const server: Server = createServer((request, response) => {
    const answered = answer(request.url ?? '')
    const isTyped = answered !== null && typeof answered === 'object' && 'type' in answered
    const body = isTyped ? answered.body : answered
    const type = isTyped ? answered.type : body === null ? 'text/plain' : typeof body === 'string' ? 'text/html; charset=utf-8' : 'image/png'
    setTimeout(() => response.writeHead(body === null ? 404 : 200, { 'Content-Type': type }).end(body ?? 'nothing here'), delayMs)
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
