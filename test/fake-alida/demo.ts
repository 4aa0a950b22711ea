/** `npm run demo:api`: starts the fake with the sample export, so that `fetch` can be tried without an account. */

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ACTIVITY_ID, BATCH_ID, CLIENT_ID, CLIENT_SECRET, COMMUNITY } from './api.ts'
import { FakeAlida } from './fake-alida.ts'

const SAMPLE = fileURLToPath(new URL('../../fixtures/sample-export.json', import.meta.url))
const POLLS_UNTIL_DONE = ['pending', 'executing', 'executing']

async function sampleBytes(): Promise<Buffer> {
  try {
    return await readFile(SAMPLE)
  } catch {
    console.error(`There is no ${SAMPLE}; the demo serves an export without records instead.`)
    return Buffer.from('{"id":"demo","datasetId":"demo","definition":{"fields":[],"fieldGroups":[]},"records":[]}')
  }
}

function instructions(fake: FakeAlida): string {
  return `A made-up Alida API is at ${fake.apiOrigin}, its file store at ${fake.storeOrigin}. Nothing leaves this machine.

In another terminal, in this folder (npm run build makes dist/bin.js):

  export ALIDA_BASE_URL=${fake.apiOrigin}
  export ALIDA_COMMUNITY=${COMMUNITY}
  export ALIDA_CLIENT_ID=${CLIENT_ID}
  export ALIDA_CLIENT_SECRET=${CLIENT_SECRET}

List the activities, ask for an export of the first one (it takes some seconds to be ready), and look at what is in it:

  node dist/bin.js activities
  node dist/bin.js fetch --activity ${ACTIVITY_ID} -o demo.parquet --save-json demo.json
  node dist/bin.js inspect demo.json

Or get an export that was asked for before:

  node dist/bin.js fetch --batch ${BATCH_ID} -o demo.parquet

Requests are shown below. Stop with Ctrl-C.
`
}

const fake = await FakeAlida.start(Number(process.env.DEMO_PORT ?? 0))
fake.file.bytes = await sampleBytes()
const [first, ...others] = fake.activities
fake.activities = [{ ...first, id: ACTIVITY_ID }, ...others]
fake.onRequest = ({ side, route, method, path }) => {
  console.log(`${side.padEnd(5)}  ${method} ${path.split('?')[0]}`)
  if (route === 'create') fake.statuses = [...POLLS_UNTIL_DONE]
}
console.log(instructions(fake))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await fake.close()
    process.exit(0)
  })
}
