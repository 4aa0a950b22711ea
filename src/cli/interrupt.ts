/** Ctrl-C and SIGTERM end a command in order: it stops, removes what it began, and the process exits. */

import { ExitCode } from './exit-code.ts'

interface Interrupt {
  readonly signal: AbortSignal
  /** The exit code that the signal asks for; undefined while none came. */
  exitCode(): number | undefined
}

/** What does not stop in order by then, because a disk or a connection does not answer, is ended at once. */
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
