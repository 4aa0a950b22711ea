/** Removes secrets and link signatures from every text that leaves this folder. */

const REPLACEMENT = '[secret]'

/** Shorter texts occur by chance in ordinary words and protect nothing. */
const MIN_SECRET_LENGTH = 4

/** The query of a link may be its signature, so it is cut from every URL in foreign text. */
const WHOLE_URL = /https?:\/\/[^\s"'<>\\]+/gi
const URL_WITH_USER = /(https?:\/\/)[^\s"'<>/?#@\\]+@/gi

export class Redactor {
  readonly #secrets = new Set<string>()

  /** Remembers a secret, also in the forms a server may echo it in. */
  add(secret: string): void {
    if (secret.length < MIN_SECRET_LENGTH) return
    this.#secrets.add(secret)
    this.#secrets.add(encodeURIComponent(secret))
    this.#secrets.add(JSON.stringify(secret).slice(1, -1))
  }

  text(text: string): string {
    let clean = text
    // Longest first, so that a secret that begins with another is replaced as a whole.
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      clean = clean.replaceAll(secret, REPLACEMENT)
    }
    return clean.replace(URL_WITH_USER, '$1').replace(WHOLE_URL, withoutQuery)
  }

  /** Returns a copy of a foreign error with its name, code and message only: its other members may contain headers. */
  cause(error: unknown): Error {
    const foreign = error instanceof Error ? error : new Error(String(error))
    const copy = new Error(this.text(foreign.message || codeOf(foreign) || foreign.name))
    copy.name = foreign.name
    const code = codeOf(foreign)
    if (code !== undefined) Object.assign(copy, { code })
    return copy
  }
}

/** Removes query and fragment. Separate from WHOLE_URL, because a single expression would backtrack into each URL. */
function withoutQuery(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

/** Returns an address that is safe to show: without user, password, query and fragment. */
export function plainUrl(url: URL): string {
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin + url.pathname : `${url.protocol}…`
}

/** Returns the `code` of a system or undici error; undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}
