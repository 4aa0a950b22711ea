/** Keeps secrets and link signatures out of every text that leaves this folder. */

const REPLACEMENT = '[secret]'

/** Shorter texts occur by chance in ordinary words, and protect nothing. */
const SHORTEST_SECRET = 4

/** The query of a link may be its signature, so it is cut from every URL in a foreign text. */
const WHOLE_URL = /https?:\/\/[^\s"'<>\\]+/gi
const URL_WITH_USER = /(https?:\/\/)[^\s"'<>/?#@\\]+@/gi

export class Redactor {
  readonly #secrets = new Set<string>()

  /** Remembers a secret, also in the forms a server may echo it in. */
  add(secret: string): void {
    if (secret.length < SHORTEST_SECRET) return
    this.#secrets.add(secret)
    this.#secrets.add(encodeURIComponent(secret))
    this.#secrets.add(JSON.stringify(secret).slice(1, -1))
  }

  text(text: string): string {
    let clean = text
    // Longest first, so that no part of one stays behind when another is its beginning.
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      clean = clean.replaceAll(secret, REPLACEMENT)
    }
    return clean.replace(URL_WITH_USER, '$1').replace(WHOLE_URL, withoutQuery)
  }

  /** A copy of a foreign error that keeps its name, code and message only: its other members may hold headers. */
  cause(error: unknown): Error {
    const foreign = error instanceof Error ? error : new Error(String(error))
    const copy = new Error(this.text(foreign.message || codeOf(foreign) || foreign.name))
    copy.name = foreign.name
    const code = codeOf(foreign)
    if (code !== undefined) Object.assign(copy, { code })
    return copy
  }
}

/** In two steps: one expression for both would try each URL inside of another anew. */
function withoutQuery(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

/** An address as it may be shown: without user, password, query and fragment. */
export function plainUrl(url: URL): string {
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin + url.pathname : `${url.protocol}…`
}

/** The `code` of a system or undici error, undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}
