/**
 * A host program with an `uncaughtException` listener of its own, which reads the codebook of a file that makes
 * parquet-wasm panic while an unrelated exception happens. Prints what reached whom. Argument: the file.
 */

import { isExportError, readCodebook } from '../src/index.ts'

const uncaught: string[] = []
process.on('uncaughtException', (error) => uncaught.push(error.message))

const reading = readCodebook(process.argv[2] ?? '')
setImmediate(() => {
  throw new Error('of the host')
})
const outcome = await reading.then(
  () => 'read',
  (error: unknown) => (isExportError(error) ? `${error.code} ${error.message}` : String(error)),
)
console.log(JSON.stringify({ uncaught, outcome }))
