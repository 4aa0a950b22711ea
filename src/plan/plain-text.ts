/** Converts HTML to the text that a participant saw. */

import { createRequire } from 'node:module'

/** Elements that break a line. */
const BREAKS: ReadonlySet<string> = new Set(
  'address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table td th tr ul'.split(
    ' ',
  ),
)

const UNSEEN: ReadonlySet<string> = new Set(['script', 'style', 'head', 'template', 'title'])

/** Loaded for the first text that needs it: the parser and its entity tables take tens of milliseconds. */
let htmlParser: typeof import('htmlparser2') | undefined

/** Returns a text without tags, with its entities decoded and each run of white space as one space. */
export function plainText(html: string): string {
  if (!/[<&]/.test(html)) return oneLine(html)
  htmlParser ??= createRequire(import.meta.url)('htmlparser2') as typeof import('htmlparser2')
  let text = ''
  let unseen = 0
  const parser = new htmlParser.Parser(
    {
      onopentagname(name) {
        if (UNSEEN.has(name)) unseen++
        if (BREAKS.has(name)) text += ' '
      },
      onclosetag(name) {
        if (UNSEEN.has(name)) unseen--
        if (BREAKS.has(name)) text += ' '
      },
      ontext(piece) {
        if (unseen === 0) text += piece
      },
    },
    { decodeEntities: true },
  )
  parser.end(html)
  return oneLine(text).toWellFormed()
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
