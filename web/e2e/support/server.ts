/** Fails with one clear sentence when there is no server, instead of once per test. */
export default async function setup(): Promise<void> {
  const base = process.env['MAGPIE_URL'] ?? 'http://127.0.0.1:8080'
  try {
    const response = await fetch(`${base}/api/v1/search?limit=1`)
    const answer = (await response.json()) as { total?: number }
    if (!answer.total) throw new Error('its collection is empty; crawl the example shop first')
  } catch (error) {
    throw new Error(`The browser tests need a running "magpie serve" at ${base} (MAGPIE_URL): ${error instanceof Error ? error.message : String(error)}`)
  }
}
