/**
 * Extracts the string literals of a JSON text, in order: stream-json decodes strings and does not keep their source.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Finds string literals in a JSON text that arrives in pieces. Only for text that a parser validates at the same time.
 */
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

  /** Returns the oldest literal not yet taken, including quotes and escapes. */
  take(): string {
    const literal = this.#found[this.#next++]
    if (literal === undefined) throw new Error('unreachable: a string token without a literal')
    if (this.#next === this.#found.length) {
      this.#found.length = 0
      this.#next = 0
    }
    return literal
  }

  /** Returns the index after the closing quote, or -1 when the literal continues in the next piece. */
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
