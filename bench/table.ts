/** A row, or a title with a remark that takes no part in the alignment. */
export type TableRow = readonly string[] | { readonly title: string; readonly remark: string }

/** Columns of text, aligned: the first one to the left, the others to the right. */
export function alignedTable(header: readonly string[], rows: readonly TableRow[]): string {
  const cellsOf = (row: TableRow): readonly string[] => ('title' in row ? [row.title] : row)
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => cellsOf(row)[i]?.length ?? 0)))
  const line = (row: TableRow) => {
    const cells = cellsOf(row).map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    return ('remark' in row ? [...cells, row.remark] : cells).join('  ')
  }
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}
