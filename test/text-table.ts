import type { DuckDBResultReader } from '@duckdb/node-api'

/** A result of DuckDB as text: a line of column names, then a line per row. */
export function textTable(result: DuckDBResultReader): string {
  const lines = [result.columnNames(), ...result.getRows().map((row) => row.map(String))]
  const widths = result.columnNames().map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
