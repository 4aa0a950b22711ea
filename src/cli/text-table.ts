/** Tables without borders, for all commands. */

import type { HorizontalAlignment, Table } from 'cli-table3'
import { shortened } from '../errors.ts'

export async function emptyTable(head: readonly string[], colAligns: HorizontalAlignment[]): Promise<Table> {
  const { default: TextTable } = await import('cli-table3')
  const { colors } = await import('./colors.ts')
  return new TextTable({
    head: head.map((title) => colors.bold(title)),
    colAligns,
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
}

const MAX_CELL_CHARS = 40

/** Returns a text as one short line for a cell, without characters that could control a terminal. */
export function cut(text: string): string {
  const line = shortened(text.replace(/\s+/g, ' '), Number.POSITIVE_INFINITY)
  const characters = [...line]
  return characters.length <= MAX_CELL_CHARS ? line : `${characters.slice(0, MAX_CELL_CHARS - 1).join('')}…`
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}
