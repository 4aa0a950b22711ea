/** Messages that name options: by their names in the library for programs, by those of the command line for people. */

/** An option in a message, with or without a value. */
export interface OptionMention {
  /** Name in the library: `onInvalid`. */
  readonly option: string
  readonly value?: string | undefined
}

/** How an option is written. */
export type OptionWords = (mention: OptionMention) => string

/** A message whose options can be written in more than one way. */
export class Wording {
  readonly parts: readonly (string | OptionMention)[]

  constructor(parts: readonly (string | OptionMention)[]) {
    this.parts = parts
  }

  /** Returns the message with its options written by `words`. */
  in(words: OptionWords): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : words(part))).join('')
  }

  /** Returns the message with the library's names of options. */
  toString(): string {
    return this.in(libraryWords)
  }
}

/** Names an option in a `worded` message. */
export function option(name: string, value?: string): OptionMention {
  return { option: name, value }
}

/** Tags a message that names options. */
export function worded(texts: TemplateStringsArray, ...values: (string | number | OptionMention | Wording)[]): Wording {
  const parts = texts.flatMap((text, i) => [text, ...partsOf(values[i])])
  return new Wording(parts.filter((part) => part !== ''))
}

function partsOf(value: string | number | OptionMention | Wording | undefined): readonly (string | OptionMention)[] {
  if (value instanceof Wording) return value.parts
  return typeof value === 'object' ? [value] : [String(value ?? '')]
}

/** Returns `maxColumns`, `onInvalid: 'null'`, or `keepUnknown: true`. */
function libraryWords({ option, value }: OptionMention): string {
  if (value === undefined) return option
  return `${option}: ${value === 'true' || value === 'false' ? value : `'${value}'`}`
}
