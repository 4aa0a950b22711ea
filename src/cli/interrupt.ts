/** Ends a command cleanly on Ctrl-C and SIGTERM: it stops, removes unfinished output, and the process exits. */

import { ExitCode } from './exit-code.ts'

interface Interrupt {
  readonly signal: AbortSignal
  /** Exit code for the signal that was received; undefined before. */
  exitCode(): number | undefined
}

/** Time for a clean end; then the process exits, because a disk or a connection may not respond. */
const PATIENCE_MS = 3_000

/** Watches for signals; a second one ends the process at once. */
export function watchInterrupts(): Interrupt {
  const controller = new AbortController()
  let exitCode: number | undefined
  const watch = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP', code: number) => {
    process.on(name, () => {
      if (exitCode !== undefined) process.exit(code)
      exitCode = code
      setTimeout(() => process.exit(code), PATIENCE_MS).unref()
      controller.abort(new Error(`received ${name}`))
    })
  }
  watch('SIGINT', ExitCode.interrupted)
  watch('SIGTERM', ExitCode.terminated)
  watch('SIGHUP', ExitCode.terminated)
  return { signal: controller.signal, exitCode: () => exitCode }
}
