/** One line on standard error that is no failure. */
export function printWarning(message: string): void {
  process.stderr.write(`alida-arrow: warning: ${message}\n`)
}
