/**
 * Detects whether a JSON document is closed. Needed only where HTTP cannot distinguish a whole body from a truncated
 * one.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c

export class DocumentEnd {
  #depth = 0
  #inString = false
  #escaped = false
  #isJsonObject: boolean | undefined

  push(chunk: Uint8Array): void {
    let depth = this.#depth
    let inString = this.#inString
    let escaped = this.#escaped
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) {
        inString = true
      } else if (byte === 0x7b || byte === 0x5b) {
        this.#isJsonObject ??= byte === 0x7b
        depth++
      } else if (byte === 0x7d || byte === 0x5d) {
        depth--
      } else if (byte !== undefined && byte > 0x20 && byte < 0x80) {
        this.#isJsonObject ??= false
      }
    }
    this.#depth = depth
    this.#inString = inString
    this.#escaped = escaped
  }

  /**
   * Whether an object has begun and one of its brackets, braces or strings is still open. Always false for anything but
   * an object.
   */
  get missing(): boolean {
    return this.#isJsonObject === true && (this.#depth > 0 || this.#inString)
  }
}
