/** The hosts a crawl begins at, short enough for a list: "shop.example +2". */
export function siteName(seeds: readonly string[]): string {
  const hosts = [...new Set(seeds.map((seed) => {
    try {
      return new URL(seed).host
    } catch {
      return seed
    }
  }))]
  return hosts.length > 1 ? `${hosts[0]} +${hosts.length - 1}` : (hosts[0] ?? '')
}
