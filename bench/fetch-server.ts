/**
 * Serves an export as the API and its file store do, in a process of its own: `node fetch-server.js FILE`, started with
 * an IPC channel, over which it tells its address. The file is sent from memory, to take as little of the machine as
 * can be.
 */
import { readFileSync } from 'node:fs'
import { FakeAlida } from '../test/fake-alida/fake-alida.ts'

const [file = ''] = process.argv.slice(2)
const fake = await FakeAlida.start()
fake.file.bytes = readFileSync(file)
process.on('disconnect', () => process.exit())
process.send?.(fake.apiOrigin)
