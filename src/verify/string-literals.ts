/** How the strings of a JSON text are written, in order: stream-json decodes them and keeps no source. */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Finds string literals in a JSON text that comes in pieces. Only for text that a parser checks at the same time. */
export class StringLiterals {
  readonly #found: string[] = []
  #next = 0
  #open: string | undefined
  #isEscaped = false

  push(text: string): void {
    let position = 0
    while (position < text.length) {
      const start = this.#open === undefined ? text.indexOf('"', position) : position
      if (start === -1) return
      const end = this.#endOfLiteral(text, this.#open === undefined ? start + 1 : start)
      if (end === -1) {
        this.#open = (this.#open ?? '') + text.slice(start)
        return
      }
      this.#found.push((this.#open ?? '') + text.slice(start, end))
      this.#open = undefined
      position = end
    }
  }

  /** The oldest literal that was not taken yet, quotes and escapes included. */
  take(): string {
    const literal = this.#found[this.#next++]
    if (literal === undefined) throw new Error('unreachable: a string token without a literal')
    if (this.#next === this.#found.length) {
      this.#found.length = 0
      this.#next = 0
    }
    return literal
  }

  /** Index behind the closing quote, or -1 when the literal goes on in the next piece. */
  #endOfLiteral(text: string, from: number): number {
    for (let i = from; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (this.#isEscaped) this.#isEscaped = false
      else if (unit === BACKSLASH) this.#isEscaped = true
      else if (unit === QUOTE) return i + 1
    }
    return -1
  }
}
