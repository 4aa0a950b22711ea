/** Prints a warning as one line on standard error. */
export function printWarning(message: string): void {
  process.stderr.write(`alida-arrow: warning: ${message}\n`)
}
