/**
 * Serves an export as the API and its file store do, in a process of its own: `node fetch-server.js FILE
 * [BYTES_PER_SECOND]`, started with an IPC channel, over which it tells its address. The file is sent from memory, to take as little of the machine as
 * can be.
 */
import { readFileSync } from 'node:fs'
import { FakeAlida } from '../test/fake-alida/fake-alida.ts'

const [file = '', bytesPerSecond] = process.argv.slice(2)
const fake = await FakeAlida.start()
fake.file.bytes = readFileSync(file)
if (bytesPerSecond !== undefined) {
  fake.onRequest = ({ route }) => {
    if (route === 'store') fake.faults.store.push({ kind: 'paced', bytesPerSecond: Number(bytesPerSecond) })
  }
}
process.on('disconnect', () => process.exit())
process.send?.(fake.apiOrigin)
